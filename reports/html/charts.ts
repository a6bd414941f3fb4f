import type { ScenarioSummary } from '../summary.ts'
import { armsCharts } from './arms-charts.ts'
import type { ArmsChart, Chart } from './chart.ts'
import { linesChart } from './lines-chart.ts'

export interface ScenarioCharts {
  /** Shown at once: the charts of the only point, or the metrics over each numeric axis. */
  readonly overview: readonly Chart[]
  /** By point, where there are several. */
  readonly points: readonly (readonly ArmsChart[])[]
}

export function chartsOf({ name, scenario, points, metric, scalings }: ScenarioSummary): ScenarioCharts {
  if (metric === null) return { overview: [], points: [] }
  const [only] = points
  const cap = scenario.memoryCapBytes
  if (points.length === 1 && only !== undefined)
    return { overview: armsCharts(name, only.arms, metric, cap), points: [] }
  return {
    overview: scalings.flatMap((scaling, index) => linesChart(`${name}-scaling-${index}`, scaling) ?? []),
    points: points.map(({ arms }, index) => armsCharts(`${name}-${index}`, arms, metric, cap)),
  }
}
