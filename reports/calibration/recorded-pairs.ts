import { type CellPair, groupsOf, pairsOf } from '../compare/pairs.ts'
import { type CompareOptions, type Comparison, compareResults } from '../compare.ts'
import { type Cell, cellId, type Results, type SoundCell } from '../schema.ts'
import { median } from '../statistics/quantile.ts'
import { noisyValues, withNoisyValues } from './noisy-values.ts'

/** Two runs of the same thing, one after the other: what differs between them is noise. */
export interface RecordedPair {
  readonly first: SoundCell
  readonly second: SoundCell
}

/** The cells of a run that were measured twice (`bench --aa`), where both passed, of the first arm and point that has them. */
export function recordedPairs({ cells }: Results): readonly RecordedPair[] {
  const controls = cells.filter((cell) => cell.control)
  const [some] = controls
  if (some === undefined) return []
  return controls
    .filter((control) => groupOf(control) === groupOf(some))
    .flatMap((control) => {
      const original = cells.find(
        (cell) =>
          !cell.control && groupOf(cell) === groupOf(control) && cell.repetition === control.repetition,
      )
      return control.status === 'ok' && original?.status === 'ok'
        ? [{ first: original, second: control }]
        : []
    })
}

/** The cells of two runs that took turns with the same thing, where both passed, of the first arm and point that both have. */
export function pairsOfTwo(baseline: Results, candidate: Results): readonly RecordedPair[] {
  const group = groupsOf(baseline, candidate).find((one) => pairsOf(one).length > 0)
  return (group === undefined ? [] : pairsOf(group)).flatMap((pair) =>
    pair.baseline.status === 'ok' && pair.candidate.status === 'ok'
      ? [{ first: pair.baseline, second: pair.candidate }]
      : [],
  )
}

/** The same pairs with the logarithms of all noisy values at `scale` times their distance from the median: a calmer machine. */
export function scaledNoise(pairs: readonly RecordedPair[], scale: number): readonly RecordedPair[] {
  if (scale === 1) return pairs
  const values = Map.groupBy(
    pairs.flatMap(({ first, second }) => [...noisyValues(first), ...noisyValues(second)]),
    ([name]) => name,
  )
  const centres = new Map([...values].map(([name, own]) => [name, median(own.map(([, value]) => value))]))
  const scaled = (cell: SoundCell) =>
    withNoisyValues(cell, (name, value) => {
      const centre = centres.get(name) ?? value
      return value > 0 && centre > 0 ? centre * (value / centre) ** scale : value
    })
  return pairs.map(({ first, second }) => ({ first: scaled(first), second: scaled(second) }))
}

/**
 * Files of n pairs, drawn with replacement from those that were recorded, the sides by lot: nothing differs but by noise.
 * @param random gives numbers from 0, to 1 exclusive
 */
export function drawPairs(
  pairs: readonly RecordedPair[],
  n: number,
  random: () => number,
): readonly CellPair[] {
  return Array.from({ length: n }, (_, repetition) => {
    const drawn = pairs[Math.floor(random() * pairs.length)]
    if (drawn === undefined) throw new RangeError('There is no pair to draw from.')
    const [baseline, candidate] = random() < 0.5 ? [drawn.first, drawn.second] : [drawn.second, drawn.first]
    const [early, late] = repetition % 2 === 0 ? [0, 1] : [1, 0]
    return { baseline: placed(baseline, repetition, early), candidate: placed(candidate, repetition, late) }
  })
}

/** What is said of pairs as if each side had been a run like that of `results`. */
export function compareFiles(
  results: Results,
  pairs: readonly CellPair[],
  options: CompareOptions,
): Comparison {
  const fileOf = (side: keyof CellPair): Results => ({
    ...results,
    cells: pairs.map((pair) => ({ ...pair[side], id: cellId(pair[side]) })),
  })
  return compareResults(fileOf('baseline'), fileOf('candidate'), options)
}

/** As the cell of a repetition that took turns with the other side. */
function placed(cell: SoundCell, repetition: number, second: number): SoundCell {
  const startedAt = new Date(Date.UTC(2026, 0, 1) + (2 * repetition + second) * 1000).toISOString()
  return { ...cell, repetition, control: false, startedAt }
}

function groupOf({ scenario, arm, point }: Cell): string {
  return JSON.stringify([scenario, arm, point])
}
