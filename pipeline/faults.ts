import { setTimeout as sleep } from 'node:timers/promises'
import { LakeduelError } from '../platform/errors.ts'

/** Every place where a test can make a process die or stall, in the order of a batch's life. */
export const FAULT_POINTS = [
  'mid-upload',
  'after-staging-before-queueing',
  'after-queueing-before-cursor',
  'before-apply',
  'mid-partition-loop',
  'group-taken',
  'group-committed',
  'after-commit-before-ack',
  'during-compaction',
  'during-switch',
  'after-switch-before-done',
  'during-drain',
] as const
export type FaultPoint = (typeof FAULT_POINTS)[number]

const ACTIONS = ['kill', 'stall', 'error'] as const
const STALL_MS = 30_000

interface ArmedFault {
  readonly point: FaultPoint
  readonly action: (typeof ACTIONS)[number]
  /** Passes before it strikes. */
  readonly after: number
  readonly stallMs: number
}

let armed: ArmedFault | null | undefined
let passes = 0

/**
 * Strikes when `LAKEDUEL_FAULT` names the point: `after-commit-before-ack:kill`, `before-apply:stall=5000`,
 * `mid-upload:kill@3` (the third time). Costs a comparison when nothing is armed.
 */
export async function faultPoint(point: FaultPoint): Promise<void> {
  if (armed === undefined) armed = parseFault(process.env['LAKEDUEL_FAULT'])
  if (armed === null || armed.point !== point) return
  passes += 1
  if (passes !== armed.after) return
  if (armed.action === 'kill') process.kill(process.pid, 'SIGKILL')
  if (armed.action === 'stall') await sleep(armed.stallMs)
  if (armed.action === 'error') throw new LakeduelError('ENGINE_FAILED', `The fault ${point} was armed.`)
}

/** @throws LakeduelError `CONFIG_INVALID` */
export function parseFault(text: string | undefined): ArmedFault | null {
  if (text === undefined || text === '') return null
  const [, name = '', action = '', stall, after] =
    /^([a-z-]+):([a-z]+)(?:=(\d+))?(?:@(\d+))?$/.exec(text) ?? []
  const point = FAULT_POINTS.find((known) => known === name)
  const known = ACTIONS.find((one) => one === action)
  if (point !== undefined && known !== undefined)
    return { point, action: known, after: Number(after ?? 1), stallMs: Number(stall ?? STALL_MS) }
  throw new LakeduelError('CONFIG_INVALID', `LAKEDUEL_FAULT is '${text}'.`, {
    facts: { points: FAULT_POINTS, actions: ACTIONS },
    remedy: `Write POINT:ACTION, with a point of ${FAULT_POINTS.join(', ')} and an action of ${ACTIONS.join(', ')}.`,
  })
}
