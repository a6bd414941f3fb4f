import type { Arm } from '../../backends/backend.ts'
import { formatOf } from '../../backends/backend.ts'
import type { Point, Scalar } from '../../reports/schema.ts'
import type { Profile } from '../scenario.ts'
import type { Operation, Target } from './dataset.ts'
import { OPERATIONS, TARGETS } from './dataset.ts'

/**
 * How writers keep out of each other's way:
 * - `none`: the engine alone; on DuckLake without our tags, which would hide what its own check lets pass;
 * - `tags`: each commit carries its tag by compare-and-set, and who conflicts starts again;
 * - `lock` and `group`: as in `pipeline/coordination/`, with tags.
 */
export const COORDINATION_VALUES = ['none', 'tags', 'lock', 'group'] as const
export type CoordinationValue = (typeof COORDINATION_VALUES)[number]

/** How often an engine tries a commit by itself: as often as it does by default, or without giving up. */
export const RETRIES = ['default', 'tuned'] as const
export type Retry = (typeof RETRIES)[number]

/** Combinations that belong together. */
interface Block {
  readonly arms: readonly Arm[] | 'all'
  readonly writers: readonly number[]
  readonly operation: readonly Operation[]
  readonly target: readonly Target[]
  readonly retry: readonly Retry[]
  readonly coordination: readonly CoordinationValue[]
}

const BEST_ARMS = ['ducklake/merge', 'delta/deltalite'] as const
const own = { operation: ['upsert-existing'], target: ['own-partition'], retry: ['tuned'] } as const

const BLOCKS: Readonly<Record<Profile, readonly Block[]>> = {
  smoke: [{ ...own, arms: 'all', writers: [3], coordination: ['group'] }],
  quick: [
    { ...own, arms: BEST_ARMS, writers: [4], coordination: ['none', 'group'] },
    {
      arms: BEST_ARMS,
      writers: [4],
      operation: ['upsert-same-new'],
      target: ['same-partition'],
      retry: ['tuned'],
      coordination: ['none', 'group'],
    },
  ],
  standard: [
    { ...own, arms: BEST_ARMS, writers: [16], coordination: ['none', 'lock', 'group'] },
    { ...own, arms: ['ducklake/merge'], writers: [1, 4], coordination: ['none', 'group'] },
    {
      arms: ['ducklake/merge', 'delta/merge'],
      writers: [4],
      operation: ['upsert-same-new'],
      target: ['same-partition'],
      retry: ['tuned'],
      coordination: ['none', 'group'],
    },
    {
      arms: ['ducklake/merge', 'delta/merge'],
      writers: [16],
      operation: ['append'],
      target: ['same-partition'],
      retry: ['default'],
      coordination: ['none'],
    },
    {
      arms: ['ducklake/merge', 'delta/merge'],
      writers: [4],
      operation: ['compaction-beside'],
      target: ['own-partition'],
      retry: ['tuned'],
      coordination: ['none', 'lock'],
    },
  ],
  full: [
    {
      ...own,
      arms: 'all',
      writers: [1, 2, 4, 8, 16, 32],
      target: TARGETS,
      coordination: COORDINATION_VALUES,
    },
    {
      arms: 'all',
      writers: [8],
      operation: OPERATIONS,
      target: TARGETS,
      retry: RETRIES,
      coordination: COORDINATION_VALUES,
    },
    {
      arms: 'all',
      writers: [1, 2, 4, 8, 16, 32],
      operation: ['append'],
      target: TARGETS,
      retry: RETRIES,
      coordination: ['none'],
    },
  ],
}

const AXES = ['writers', 'operation', 'target', 'retry', 'coordination'] as const
type AxisName = (typeof AXES)[number]

/** The values that a profile has on an axis, in any of its blocks. */
export function valuesOf(profile: Profile): Record<AxisName, readonly Scalar[]> {
  const values = (axis: AxisName) => [
    ...new Set(BLOCKS[profile].flatMap((block): Scalar[] => [...block[axis]])),
  ]
  return {
    writers: values('writers'),
    operation: values('operation'),
    target: values('target'),
    retry: values('retry'),
    coordination: values('coordination'),
  }
}

/** Why a cell makes no sense, or isn't one of the profile; null where it is a cell. */
export function excludes(arm: Arm, point: Point, profile: Profile): string | null {
  return (
    contradiction(arm, point) ??
    (isPlanned(arm, point, profile) ? null : `the profile ${profile} leaves it out`)
  )
}

function contradiction(arm: Arm, point: Point): string | null {
  const { operation, target, retry, coordination } = point
  if (operation === 'upsert-same-new' && target !== 'same-partition')
    return 'the same keys are in the same partition'
  if (operation === 'compaction-beside' && target === 'own-table')
    return 'a table of its own is not maintained beside its writer'
  if (target === 'own-table' && coordination !== 'none')
    return 'writers of different tables have nothing to coordinate'
  if (coordination === 'tags' && formatOf(arm) === 'delta')
    return 'tags of different runs never conflict in a Delta log, so that it is the same as none'
  if (retry === 'default' && (coordination === 'lock' || coordination === 'group'))
    return 'a commit that is alone is not retried'
  return null
}

/** A value that the profile doesn't have was asked for by hand, and then it takes the place of any. */
function isPlanned(arm: Arm, point: Point, profile: Profile): boolean {
  const known = valuesOf(profile)
  return BLOCKS[profile].some(
    (block) =>
      (block.arms === 'all' || block.arms.includes(arm)) &&
      AXES.every((axis) => {
        const value = point[axis]
        const values: readonly Scalar[] = block[axis]
        return value === undefined || values.includes(value) || !known[axis].includes(value)
      }),
  )
}
