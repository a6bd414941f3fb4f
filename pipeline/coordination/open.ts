import type { Coordination, Coordinator, CoordinatorOptions } from './coordinator.ts'
import { GroupCoordinator } from './group.ts'
import { LockCoordinator } from './lock.ts'
import { UncoordinatedWriters } from './uncoordinated.ts'

/** A group is what one statement of DuckLake reads at once, so that a leader needs no more memory than any writer. */
export const COORDINATOR_DEFAULTS = {
  replay: { tries: 50, firstWaitMs: 20, longestWaitMs: 2_000 },
  staleMs: 10_000,
  maxGroupPayloadBytes: 64 * 2 ** 20,
  observe: () => undefined,
} as const satisfies Omit<CoordinatorOptions, 'postgres'>

/** A coordinator of this process. It connects to Postgres when it first has to. */
export function openCoordinator(
  kind: Coordination,
  options: Partial<CoordinatorOptions> & Pick<CoordinatorOptions, 'postgres'>,
): Coordinator {
  const complete = { ...COORDINATOR_DEFAULTS, ...options }
  switch (kind) {
    case 'none':
      return new UncoordinatedWriters(complete)
    case 'lock':
      return new LockCoordinator(complete)
    case 'group':
      return new GroupCoordinator(complete)
  }
}
