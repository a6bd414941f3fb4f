import type { Results } from '../schema.ts'
import { figuresOf } from './figures.ts'

/**
 * JSON for the tools `customSmallerIsBetter` and `customBiggerIsBetter` of github-action-benchmark, which take one direction
 * a file. The value is the median, the range the interval of it, or all that was measured where there are too few repetitions.
 */
export function customBenchmark(files: readonly Results[], better: 'lower' | 'higher'): string {
  const entries = figuresOf(files)
    .filter(({ figure }) => figure.better === better)
    .map(({ benchmark, metric, figure: { unit, interval } }) => ({
      name: `${benchmark} ${metric}`,
      unit,
      value: interval.median,
      range: `${interval.low} to ${interval.high}`,
      extra: `repetitions: ${interval.n}`,
    }))
  return `${JSON.stringify(entries, null, 2)}\n`
}
