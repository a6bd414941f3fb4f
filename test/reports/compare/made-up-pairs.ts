/** MADE-UP pairs of results files, measured turn by turn, with noise and effects of a known size. */
import type { Cell, Metric, Results, SoundCell } from '../../../reports/schema.ts'
import { madeUpResults, madeUpScenario, measuredCell } from '../made-up-results.ts'

export const ARM = 'ducklake/merge'
const SCENARIO = 'merge-partitions'

/** The values of one metric by repetition, in both files. */
export interface Samples {
  readonly metric: Omit<Metric, 'value' | 'samples'>
  readonly baseline: readonly number[]
  readonly candidate: readonly number[]
}

export const MEMORY = { unit: 'bytes', kind: 'memory', better: 'lower' } as const
export const TIME = { unit: 'ms', kind: 'time', better: 'lower' } as const
export const RATE = { unit: 'rows/s', kind: 'rate', better: 'higher' } as const
export const COUNT = { unit: 'count', kind: 'count', better: 'lower' } as const

/** Two files of one arm, ABBA in time. */
export function filesOf(
  samples: Readonly<Record<string, Samples>>,
): readonly [baseline: Results, candidate: Results] {
  return [
    fileOf(cellsOf(samples, 'baseline', (repetition) => 2 * repetition + (repetition % 2))),
    fileOf(cellsOf(samples, 'candidate', (repetition) => 2 * repetition + 1 - (repetition % 2))),
  ]
}

/** The same, the candidate an hour after the baseline. */
export function filesApart(
  samples: Readonly<Record<string, Samples>>,
): readonly [baseline: Results, candidate: Results] {
  return [
    fileOf(cellsOf(samples, 'baseline', (repetition) => repetition)),
    fileOf(cellsOf(samples, 'candidate', (repetition) => repetition + 3600)),
  ]
}

/** Two files of five repetitions each that differ by one request. */
export function oneRequestMore(): readonly [baseline: Results, candidate: Results] {
  const requests = (count: number) => Array.from({ length: 5 }, () => count)
  return filesOf({ requests: { metric: COUNT, baseline: requests(67), candidate: requests(68) } })
}

export function fileOf(cells: readonly Cell[]): Results {
  const results = madeUpResults({ arms: [ARM] })
  return { ...results, scenarios: [madeUpScenario({ name: SCENARIO, arms: [ARM] })], cells: [...cells] }
}

function cellsOf(
  samples: Readonly<Record<string, Samples>>,
  side: 'baseline' | 'candidate',
  secondOf: (repetition: number) => number,
): readonly SoundCell[] {
  const repeat = Math.max(...Object.values(samples).map((one) => one[side].length))
  return Array.from({ length: repeat }, (_, repetition) => {
    const metrics = Object.entries(samples).flatMap(([name, { metric, ...values }]) => {
      const value = values[side][repetition]
      return value === undefined ? [] : [[name, { ...metric, value }] as const]
    })
    return {
      ...measuredCell(
        { scenario: SCENARIO, arm: ARM, repetition, order: secondOf(repetition) },
        Object.fromEntries(metrics),
      ),
      startedAt: new Date(Date.UTC(2026, 0, 5, 10, 0, secondOf(repetition))).toISOString(),
    }
  })
}
