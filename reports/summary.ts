import type { Cell, Results, Scenario, Warning } from './schema.ts'
import { headlineMetric } from './summary/headline.ts'
import { describeNoise, type Noise, noiseOf } from './summary/noise.ts'
import { judgeOverall } from './summary/overall.ts'
import { type PointSummary, summarizePoints } from './summary/points.ts'
import { type Scaling, scalingsOf } from './summary/scaling.ts'
import { listUnmeasured } from './summary/unmeasured.ts'
import type { Verdict } from './summary/verdict.ts'
import { collectWarnings } from './summary/warnings.ts'

export interface ScenarioSummary {
  readonly scenario: Scenario
  readonly name: string
  /** In the order in which they ran. */
  readonly cells: readonly Cell[]
  /** What ranks the arms; null when nothing passed. */
  readonly metric: string | null
  readonly points: readonly PointSummary[]
  /** Of the headline metric, and of the peak memory where a batch is applied. */
  readonly scalings: readonly Scaling[]
  readonly noise: Noise | null
  readonly verdict: Verdict
}

export interface Summary {
  readonly scenarios: readonly ScenarioSummary[]
  readonly warnings: readonly Warning[]
  readonly unmeasured: readonly string[]
}

/** What all reports say: who wins each scenario, the figures behind it, and what makes them doubtful. */
export function summarize(results: Results): Summary {
  const byScenario = Map.groupBy(results.cells, (cell) => cell.scenario)
  const scenarios = results.scenarios.map((scenario) =>
    summarizeScenario(scenario, byScenario.get(scenario.name) ?? []),
  )
  return {
    scenarios,
    warnings: collectWarnings(results, scenarios),
    unmeasured: listUnmeasured(results),
  }
}

const PEAK_BYTES = 'apply.memory.peakBytes'

function summarizeScenario(scenario: Scenario, cells: readonly Cell[]): ScenarioSummary {
  const metric = headlineMetric(scenario.name, cells)
  const points = summarizePoints(scenario, cells, metric)
  const measured = (name: string) => points.some(({ arms }) => arms.some((arm) => arm.figures.has(name)))
  const scaled = [metric, PEAK_BYTES].filter((name) => name !== null).filter(measured)
  const noise = metric === null ? null : noiseOf(cells, metric)
  const verdict = judgeOverall(points)
  return {
    scenario,
    name: scenario.name,
    cells,
    metric,
    points,
    scalings: scaled.flatMap((name) => scalingsOf(scenario, points, name)),
    noise,
    verdict: { ...verdict, details: [...verdict.details, ...(noise === null ? [] : [describeNoise(noise)])] },
  }
}
