import { ExecaError } from 'execa'
import { LakeduelError, messageOf } from '../errors.ts'
import { cgroupV1 } from './cgroup-v1.ts'
import { cgroupV2 } from './cgroup-v2.ts'
import { docker } from './docker.ts'
import type { Pod, PodMechanism, PodMechanismName, PodRequest } from './pod.ts'
import { systemdRun } from './systemd-run.ts'
import { uncapped } from './uncapped.ts'

export interface DetectedMechanism {
  readonly mechanism: PodMechanismName
  /** What was found; for `none`, why each of the others can't be used. */
  readonly reason: string
}

const MECHANISMS: readonly PodMechanism[] = [cgroupV2, cgroupV1, systemdRun, docker]

interface Choice {
  readonly mechanism: PodMechanism
  readonly reason: string
}
let choice: Promise<Choice> | null = null

/** The first mechanism that a pod could really be made with. Asked once per process, since a probe makes and removes a pod. */
export async function detectPodMechanism(): Promise<DetectedMechanism> {
  const { mechanism, reason } = await chooseOnce()
  return { mechanism: mechanism.name, reason }
}

/**
 * Makes a pod with the detected mechanism.
 * @throws LakeduelError `POD_FAILED` when the mechanism that worked in the probe no longer does
 */
export async function createPod(request: PodRequest): Promise<Pod> {
  const { mechanism } = await chooseOnce()
  try {
    return await mechanism.create(request)
  } catch (cause) {
    throw new LakeduelError(
      'POD_FAILED',
      `The pod "${request.name}" could not be made: ${messageOf(cause)}.`,
      {
        facts: { mechanism: mechanism.name, memoryCapBytes: request.memoryCapBytes },
        remedy: 'See with `lakeduel doctor` which mechanism for memory caps this machine offers.',
        cause,
      },
    )
  }
}

function chooseOnce(): Promise<Choice> {
  choice ??= choose()
  return choice
}

async function choose(): Promise<Choice> {
  const refusals: string[] = []
  for (const mechanism of MECHANISMS) {
    try {
      const reason = await mechanism.probe()
      await mechanism.sweep()
      return { mechanism, reason }
    } catch (error) {
      refusals.push(`${mechanism.name}: ${refusalOf(error)}`)
    }
  }
  return { mechanism: uncapped, reason: `observed, not capped (${refusals.join('; ')})` }
}

/** Without the paths that messages of the file system and of execa carry, since the reason is recorded with results. */
function refusalOf(error: unknown): string {
  if (error instanceof ExecaError)
    return error.code ?? (error.stderr ?? error.shortMessage).split('\n')[0] ?? ''
  if (!(error instanceof Error && 'code' in error && 'syscall' in error)) return messageOf(error)
  return `${String(error.syscall)} fails with ${String(error.code)}`
}
