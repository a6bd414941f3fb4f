import { capitalize, formatAxisValue, formatMetricName, formatValue } from '../format.ts'
import { GROWTH_POINTS } from '../statistics/theil-sen.ts'
import type { ArmSummary } from '../summary/arms.ts'
import type { Scaling } from '../summary/scaling.ts'
import type { ScenarioSummary } from '../summary.ts'
import { armFigure, NONE, type Table, text } from './table.ts'

/** The headline metric at every point; null for a scenario with one point, which needs no overview. */
export function gridTable(summary: ScenarioSummary): Table | null {
  const { points, metric } = summary
  return points.length < 2 || metric === null ? null : metricTable(summary, metric)
}

/** A metric at every point, one column an arm. */
export function metricTable({ points, scenario: { axes } }: ScenarioSummary, metric: string): Table {
  const arms = [...new Set(points.flatMap((point) => point.arms.map(({ arm }) => arm)))].toSorted()
  const where = axes.length === 0 ? [] : [text('at')]
  return {
    title: `${capitalize(formatMetricName(metric))} at every point: medians`,
    columns: [...where, ...arms.map(armFigure)],
    rows: points.map((point) => [
      ...where.map(() => point.label),
      ...arms.map((name) =>
        fieldOf(
          point.arms.find(({ arm }) => arm === name),
          metric,
        ),
      ),
    ]),
  }
}

/** A metric over one numeric axis: one row a value, one column an arm, and how it grows where enough values show it. */
export function scalingTable({ metric, axis, elsewhere, steps, arms, growth }: Scaling): Table {
  const fitted = arms.map((arm) => {
    const found = growth.get(arm) ?? null
    return found === null ? NONE : describeExponent(found.exponent)
  })
  const rows = steps.map((step) => [
    formatAxisValue(step.value, axis),
    ...arms.map((arm) => fieldOf(step.arms.get(arm), metric)),
  ])
  const where = elsewhere === '' ? '' : ` at ${elsewhere}`
  return {
    title: `${capitalize(formatMetricName(metric))} over ${formatMetricName(axis.name)}${where}`,
    columns: [text(formatMetricName(axis.name)), ...arms.map(armFigure)],
    rows: steps.length < GROWTH_POINTS ? rows : [...rows, ['grows with', ...fitted]],
    places: steps.map(({ label }) => label),
    elsewhere,
  }
}

/** `x^0.98`: the exponent of the fitted power law, so that 0 is flat and 1 proportional. */
function describeExponent(exponent: number): string {
  return `x^${exponent.toFixed(2)}`
}

function fieldOf(arm: ArmSummary | undefined, metric: string): string {
  const found = arm?.figures.get(metric)
  if (arm === undefined) return NONE
  if (found === undefined) return arm.passed.length > 0 ? NONE : statusOf(arm)
  const value = formatValue(found.interval.median, found.unit)
  return arm.sound ? value : `${value} (${statusOf(arm)})`
}

/** Why an arm isn't ranked, in a word or two: the other tables say more. */
function statusOf(arm: ArmSummary): string {
  const failed = new Set(arm.cells.flatMap(({ status }) => (status === 'ok' ? [] : [status])))
  return [...failed].join(', ')
}
