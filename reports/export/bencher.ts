import type { Results } from '../schema.ts'
import { figuresOf } from './figures.ts'

const LONGEST_BENCHMARK = 1024
const LONGEST_MEASURE = 64

/** Bencher Metric Format (bencher.dev/docs/reference/bencher-metric-format): the median of each metric with its interval. */
export function bencherMetricFormat(files: readonly Results[]): string {
  const byBenchmark = Map.groupBy(figuresOf(files), ({ benchmark }) => benchmark.slice(0, LONGEST_BENCHMARK))
  const benchmarks = [...byBenchmark].map(([benchmark, own]) => [
    benchmark,
    Object.fromEntries(
      own.map(({ metric, figure: { interval } }) => [
        // The end of a long name tells metrics apart: it begins with the phase.
        metric.slice(-LONGEST_MEASURE),
        { value: interval.median, lower_value: interval.low, upper_value: interval.high },
      ]),
    ),
  ])
  return `${JSON.stringify(Object.fromEntries(benchmarks), null, 2)}\n`
}
