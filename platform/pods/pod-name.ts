import { isRunning } from './kill.ts'

/** Pods are called `lakeduel-<process id of the owner>-<number>-<name>`, so that a later run knows whose owner is gone. */
const POD_NAME = /^lakeduel-(\d+)-\d+-[a-z0-9-]+$/
let podsMade = 0

export function nextPodName(name: string): string {
  podsMade += 1
  return `lakeduel-${process.pid}-${podsMade}-${name.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-')}`
}

/** Whether it is the name of a pod whose owner has ended. */
export function isAbandonedPodName(name: string): boolean {
  const owner = POD_NAME.exec(name)?.[1]
  return owner !== undefined && !isRunning(Number(owner))
}
