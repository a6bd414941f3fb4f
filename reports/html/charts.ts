import type { PointSummary } from '../summary/points.ts'
import type { ScenarioSummary } from '../summary.ts'
import { armsCharts } from './arms-charts.ts'
import type { Chart, LinesChart } from './chart.ts'
import { linesChart } from './lines-chart.ts'
import { memoryChart } from './memory-chart.ts'
import { tradeOffChart } from './trade-off-chart.ts'

export interface ScenarioCharts {
  /** Speed against memory; null where it wasn't measured. */
  readonly tradeOff: LinesChart | null
  /** Shown at once: the charts of the only point, or the metrics over each numeric axis. */
  readonly overview: readonly Chart[]
  /** By point, where there are several. */
  readonly points: readonly (readonly Chart[])[]
}

export function chartsOf({ name, scenario, points, metric, scalings }: ScenarioSummary): ScenarioCharts {
  if (metric === null) return { tradeOff: null, overview: [], points: [] }
  const ofPoint = (id: string, { arms }: PointSummary): readonly Chart[] => {
    const memory = memoryChart(`${id}-memory-over-time`, arms)
    const charts = armsCharts(id, arms, metric, scenario.memoryCapBytes)
    return memory === null ? charts : [...charts, memory]
  }
  const tradeOff = tradeOffChart(`${name}-trade-off`, points)
  const [only] = points
  if (points.length === 1 && only !== undefined)
    return { tradeOff, overview: ofPoint(name, only), points: [] }
  return {
    tradeOff,
    overview: scalings.flatMap((scaling, index) => linesChart(`${name}-scaling-${index}`, scaling) ?? []),
    points: points.map((point, index) => ofPoint(`${name}-${index}`, point)),
  }
}
