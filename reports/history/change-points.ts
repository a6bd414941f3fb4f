/**
 * Change points of a series by E-divisive: Matteson and James, "A Nonparametric Approach for Multiple Change Point Analysis of
 * Multivariate Data", JASA 109 (2014), with α = 1; as used for performance regressions by Daly et al., "The Use of Change Point
 * Detection to Identify Software Performance Regressions in a Continuous Integration System", ICPE 2020.
 */

export interface ChangePointOptions {
  /** A split is a change when no more than this share of random orders splits as well. */
  readonly significance: number
  readonly permutations: number
  /** From 0, to 1 exclusive; seeded, so that the same series has the same change points. */
  readonly random: () => number
}

/** Values on each side of a change, at least. */
const LEAST_SIDE = 3

/** The first index of each new level, ascending. Nothing is assumed of how the values are distributed. */
export function changePoints(values: readonly number[], options: ChangePointOptions): readonly number[] {
  const bounds = [0, values.length]
  for (;;) {
    const splits = segmentsOf(bounds).flatMap(([from, to]) => bestSplit(values.slice(from, to), from) ?? [])
    const [best] = splits.toSorted((a, b) => b.statistic - a.statistic)
    if (best === undefined) break
    if (chanceOf(values, bounds, best.statistic, options) > options.significance) break
    bounds.push(best.at)
    bounds.sort((a, b) => a - b)
  }
  return bounds.slice(1, -1)
}

type Segment = readonly [from: number, to: number]

function segmentsOf(bounds: readonly number[]): readonly Segment[] {
  return bounds.slice(1).map((to, index) => [bounds[index] ?? 0, to])
}

interface Split {
  /** In the whole series. */
  readonly at: number
  readonly statistic: number
}

/**
 * Where a segment falls apart most: the largest `mn / (m + n)` times the energy distance of both sides. Sums of distances are
 * carried from one split to the next, so that a segment of n values takes n² steps.
 */
function bestSplit(segment: readonly number[], offset: number): Split | null {
  const length = segment.length
  if (length < 2 * LEAST_SIDE) return null
  const distance = (i: number, j: number) => Math.abs((segment[i] ?? 0) - (segment[j] ?? 0))
  const toAll = (i: number, from: number, to: number) => {
    let sum = 0
    for (let j = from; j < to; j += 1) sum += distance(i, j)
    return sum
  }
  let left = 0
  let right = segment.reduce((sum, _, i) => sum + toAll(i, i + 1, length), 0)
  let between = 0
  let best: Split | null = null
  for (let split = 1; split <= length - LEAST_SIDE; split += 1) {
    const moved = split - 1
    const toLeft = toAll(moved, 0, moved)
    const toRight = toAll(moved, split, length)
    left += toLeft
    right -= toRight
    between += toRight - toLeft
    if (split < LEAST_SIDE) continue
    const statistic = energy({ left, right, between }, split, length - split)
    if (best === null || statistic > best.statistic) best = { at: offset + split, statistic }
  }
  return best
}

interface Distances {
  readonly left: number
  readonly right: number
  readonly between: number
}

function energy({ left, right, between }: Distances, m: number, n: number): number {
  const within = left / ((m * (m - 1)) / 2) + right / ((n * (n - 1)) / 2)
  return ((m * n) / (m + n)) * ((2 * between) / (m * n) - within)
}

/** The share of orders, shuffled within the segments, that have a split as good; the order that was found is one of them. */
function chanceOf(
  values: readonly number[],
  bounds: readonly number[],
  statistic: number,
  { permutations, random }: ChangePointOptions,
): number {
  let asGood = 1
  for (let round = 0; round < permutations; round += 1) {
    const statistics = segmentsOf(bounds).map(
      ([from, to]) => bestSplit(shuffled(values.slice(from, to), random), from)?.statistic ?? 0,
    )
    if (Math.max(...statistics) >= statistic) asGood += 1
  }
  return asGood / (permutations + 1)
}

/** Fisher and Yates. */
function shuffled(values: readonly number[], random: () => number): readonly number[] {
  const list = [...values]
  for (let last = list.length - 1; last > 0; last -= 1) {
    const other = Math.floor(random() * (last + 1))
    const kept = list[last] ?? 0
    list[last] = list[other] ?? 0
    list[other] = kept
  }
  return list
}
