import { matches } from '../compare/pattern.ts'
import type { Metric, Results } from '../schema.ts'
import { summarize } from '../summary.ts'

/** What one run says of a series. */
export interface HistoryPoint {
  readonly startedAt: string
  readonly runId: string
  /** Null where the run was no checkout. */
  readonly commit: string | null
  /** The median over the run's repetitions. */
  readonly value: number
}

/** A metric of one arm at one point of a scenario, run after run. */
export interface HistorySeries extends Pick<Metric, 'unit' | 'better' | 'kind'> {
  readonly scenario: string
  /** The point in words; empty for a scenario without axes. */
  readonly at: string
  readonly arm: string
  readonly metric: string
  readonly points: readonly HistoryPoint[]
}

/** What is followed unless it is said: beside the metric that ranks a scenario, what it takes. */
const FOLLOWED: ReadonlySet<string> = new Set([
  'apply.memory.peakBytes',
  'apply.s3.requests',
  'apply.cpuSeconds',
])

/**
 * The series of some runs, which must be in the order of time. An arm that failed in a run has no point there.
 * @param patterns of metrics, in which `*` stands for any text; empty for the usual ones
 */
export function seriesOf(runs: readonly Results[], patterns: readonly string[]): readonly HistorySeries[] {
  const found = runs.flatMap((results) => figuresOf(results, patterns))
  const groups = Map.groupBy(found, ({ scenario, at, arm, metric }) =>
    JSON.stringify([scenario, at, arm, metric]),
  )
  return [...groups.values()].flatMap((figures) => {
    const [first] = figures
    if (first === undefined) return []
    const { point: _, ...series } = first
    return [{ ...series, points: figures.map(({ point }) => point) }]
  })
}

type Figure = Omit<HistorySeries, 'points'> & { readonly point: HistoryPoint }

function figuresOf(results: Results, patterns: readonly string[]): readonly Figure[] {
  const { run, environment } = results
  const when = { startedAt: run.startedAt, runId: run.id, commit: environment.git?.sha ?? null }
  return summarize(results).scenarios.flatMap(({ name: scenario, metric: headline, points }) =>
    points.flatMap(({ label: at, arms }) =>
      arms
        .filter(({ sound }) => sound)
        .flatMap(({ arm, figures }) =>
          [...figures].flatMap(([metric, { unit, better, kind, interval }]) =>
            isFollowed(metric, headline, patterns)
              ? [
                  {
                    scenario,
                    at,
                    arm,
                    metric,
                    unit,
                    better,
                    kind,
                    point: { ...when, value: interval.median },
                  },
                ]
              : [],
          ),
        ),
    ),
  )
}

function isFollowed(metric: string, headline: string | null, patterns: readonly string[]): boolean {
  if (patterns.length > 0) return patterns.some((pattern) => matches(pattern, metric))
  return metric === headline || FOLLOWED.has(metric)
}
