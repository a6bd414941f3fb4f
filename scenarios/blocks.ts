import type { Arm } from '../backends/backend.ts'
import type { Point, Scalar } from '../reports/schema.ts'

/** Combinations of axis values that belong together, where all combinations would be too many or make no sense. */
export interface Block<Axes extends string> {
  readonly arms: readonly Arm[] | 'all'
  readonly at: Readonly<Record<Axes, readonly Scalar[]>>
}

/** The values that any of the blocks has, by axis. */
export function axesOf<Axes extends string>(
  blocks: readonly Block<Axes>[],
): Readonly<Record<string, readonly Scalar[]>> {
  const axes = new Set(blocks.flatMap(({ at }) => Object.keys(at)))
  const valuesOf = (axis: string) => blocks.flatMap(({ at }) => entriesOf(at).get(axis) ?? [])
  return Object.fromEntries([...axes].map((axis) => [axis, [...new Set(valuesOf(axis))]]))
}

/**
 * Whether an arm at a point is in one of the blocks. A value that no block has was asked for by hand, and then it takes
 * the place of any.
 */
export function isInBlocks<Axes extends string>(
  blocks: readonly Block<Axes>[],
  arm: Arm,
  point: Point,
): boolean {
  const known = axesOf(blocks)
  return blocks.some(
    ({ arms, at }) =>
      (arms === 'all' || arms.includes(arm)) &&
      [...entriesOf(at)].every(([axis, values]) => {
        const value = point[axis]
        return value === undefined || values.includes(value) || known[axis]?.includes(value) !== true
      }),
  )
}

function entriesOf(at: Readonly<Record<string, readonly Scalar[]>>): ReadonlyMap<string, readonly Scalar[]> {
  return new Map(Object.entries(at))
}
