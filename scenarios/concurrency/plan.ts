import type { Arm } from '../../backends/backend.ts'
import { formatOf } from '../../backends/backend.ts'
import type { Point, Scalar } from '../../reports/schema.ts'
import { axesOf, type Block, isInBlocks } from '../blocks.ts'
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

interface At {
  readonly writers: readonly number[]
  readonly operation: readonly Operation[]
  readonly target: readonly Target[]
  readonly retry: readonly Retry[]
  readonly coordination: readonly CoordinationValue[]
}

const BEST_ARMS = ['ducklake/merge', 'delta/deltalite'] as const
/** Each writer changes rows of its own partition: what the figures to reach are about. */
const OWN = { operation: ['upsert-existing'], target: ['own-partition'], retry: ['tuned'] } as const
/** All writers add the same keys: what an engine that judges conflicts by what it deletes gets wrong. */
const SAME = { operation: ['upsert-same-new'], target: ['same-partition'], retry: ['tuned'] } as const
const ONE_TO_MANY = [1, 2, 4, 8, 16, 32]

function block(arms: readonly Arm[] | 'all', at: At): Block<keyof At> {
  return { arms, at: { ...at } }
}

const BLOCKS: Readonly<Record<Profile, readonly Block<keyof At>[]>> = {
  smoke: [block('all', { ...OWN, writers: [3], coordination: ['group'] })],
  quick: [
    block(BEST_ARMS, { ...OWN, writers: [4], coordination: ['none', 'group'] }),
    block(BEST_ARMS, { ...SAME, writers: [4], coordination: ['none', 'group'] }),
  ],
  standard: [
    block(BEST_ARMS, { ...OWN, writers: [16], coordination: ['none', 'lock', 'group'] }),
    block(['ducklake/merge'], { ...OWN, writers: [1, 4], coordination: ['none', 'group'] }),
    block(['ducklake/merge', 'delta/merge'], { ...SAME, writers: [4], coordination: ['none', 'group'] }),
    block(['ducklake/merge', 'delta/merge'], {
      writers: [16],
      operation: ['append'],
      target: ['same-partition'],
      retry: ['default'],
      coordination: ['none'],
    }),
    block(['ducklake/merge', 'delta/merge'], {
      writers: [4],
      operation: ['compaction-beside'],
      target: ['own-partition'],
      retry: ['tuned'],
      coordination: ['none', 'lock'],
    }),
  ],
  full: [
    block('all', { ...OWN, target: TARGETS, writers: ONE_TO_MANY, coordination: COORDINATION_VALUES }),
    block('all', {
      writers: [8],
      operation: OPERATIONS,
      target: TARGETS,
      retry: RETRIES,
      coordination: COORDINATION_VALUES,
    }),
    block('all', {
      writers: ONE_TO_MANY,
      operation: ['append'],
      target: TARGETS,
      retry: RETRIES,
      coordination: ['none'],
    }),
  ],
}

export function axesOfProfile(profile: Profile): Readonly<Record<string, readonly Scalar[]>> {
  return axesOf(BLOCKS[profile])
}

/** Why a cell makes no sense, or isn't one of the profile; null where it is a cell. */
export function excludes(arm: Arm, point: Point, profile: Profile): string | null {
  return (
    contradiction(arm, point) ??
    (isInBlocks(BLOCKS[profile], arm, point) ? null : `the profile ${profile} leaves it out`)
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
