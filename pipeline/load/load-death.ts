import { LakeduelError } from '../../platform/errors.ts'
import type { Death } from '../../platform/pods/exit.ts'

export interface LoadDeath {
  readonly death: Death
  /** What it said at last. */
  readonly said: string
  /** Whether the kernel tells of the pod's own memory. */
  readonly measured: boolean
  /** Whether it was ended by its worker. */
  readonly asked: boolean
}

/**
 * What the death of a load process means for its batch. Where a pod has no cap of its own, the kernel kills the process for
 * the memory of the whole container and nobody counts it: a SIGKILL that the worker didn't send is taken for that, since
 * halves that were not needed cost less than a batch that is killed again and again.
 */
export function loadDeath({ death, said, measured, asked }: LoadDeath): LakeduelError {
  const facts = { ...death, said }
  if (death.status === 'oom-killed' || (isSigkill(death) && !measured && !asked)) {
    const how = death.status === 'oom-killed' ? 'at its memory cap' : 'by SIGKILL, most likely for memory'
    return new LakeduelError('ENGINE_OUT_OF_MEMORY', `The load process was killed ${how}.`, {
      facts,
      remedy: 'The batch is applied again in halves; give loaders more memory to save that.',
    })
  }
  if (death.status === 'hang') {
    const seconds = Math.round(death.afterMs / 1000)
    return new LakeduelError(
      'ENGINE_HUNG',
      `The load process gave no answer for ${seconds} s and was ended.`,
      { facts, remedy: 'See what the engine waits for; the batch is tried again.' },
    )
  }
  return new LakeduelError('SIDECAR_DIED', 'The load process ended before it answered.', {
    facts,
    remedy: 'The batch is tried again; read its last lines in the facts of this error.',
  })
}

function isSigkill(death: Death): boolean {
  return death.status === 'killed' && death.signal === 'SIGKILL'
}
