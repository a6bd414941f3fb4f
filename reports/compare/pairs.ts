import { formatPoint } from '../format.ts'
import type { Cell, Point, Results } from '../schema.ts'

/** One arm at one point of a scenario, in both files: what a judgement is made of. */
export interface Group {
  readonly scenario: string
  readonly arm: string
  readonly point: Point
  /** The point in words; empty for a scenario without axes. */
  readonly at: string
  /** By repetition; without control cells, which repeat a cell of the same file. */
  readonly baseline: readonly Cell[]
  readonly candidate: readonly Cell[]
}

/** All arms and points that either file has, those of the baseline first. */
export function groupsOf(baseline: Results, candidate: Results): readonly Group[] {
  const [ours, theirs] = [byGroup(baseline), byGroup(candidate)]
  const axes = new Map(
    [...candidate.scenarios, ...baseline.scenarios].map((scenario) => [scenario.name, scenario.axes]),
  )
  return [...new Set([...ours.keys(), ...theirs.keys()])].flatMap((key) => {
    const [first = [], second = []] = [ours.get(key), theirs.get(key)]
    const some = first[0] ?? second[0]
    if (some === undefined) return []
    const { scenario, arm, point } = some
    const at = formatPoint(point, axes.get(scenario) ?? [])
    return [{ scenario, arm, point, at, baseline: first, candidate: second }]
  })
}

/** `merge-partitions at partitions 10, ducklake/merge` */
export function describeGroup({ scenario, arm, at }: Pick<Group, 'scenario' | 'arm' | 'at'>): string {
  return `${scenario}${at === '' ? '' : ` at ${at}`}, ${arm}`
}

/** The cells of one repetition in both files. */
export interface CellPair {
  readonly baseline: Cell
  readonly candidate: Cell
}

export function pairsOf(group: Group): readonly CellPair[] {
  const others = new Map(group.candidate.map((cell) => [cell.repetition, cell]))
  return group.baseline.flatMap((baseline) => {
    const candidate = others.get(baseline.repetition)
    return candidate === undefined ? [] : [{ baseline, candidate }]
  })
}

/**
 * Whether the two cells of each pair are neighbours in time, with no other cell of the group between them. Only then does what
 * slows the machine for a while slow both.
 */
export function isInterleaved(group: Group): boolean {
  const starts = [...group.baseline, ...group.candidate].map(startOf)
  return pairsOf(group).every(({ baseline, candidate }) => {
    const [early, late] = [startOf(baseline), startOf(candidate)].toSorted((a, b) => a - b)
    return starts.every((start) => start <= (early ?? 0) || start >= (late ?? 0))
  })
}

function startOf({ startedAt }: Cell): number {
  return Date.parse(startedAt)
}

function byGroup({ cells }: Results): ReadonlyMap<string, readonly Cell[]> {
  const own = cells.filter(({ control }) => !control).toSorted((a, b) => a.repetition - b.repetition)
  return Map.groupBy(own, ({ scenario, arm, point }) => JSON.stringify([scenario, arm, axesInOrder(point)]))
}

/** Hand-written files may have the axes in another order. */
function axesInOrder(point: Point): readonly (readonly [string, unknown])[] {
  return Object.entries(point).toSorted(([a], [b]) => a.localeCompare(b))
}
