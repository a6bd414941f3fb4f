import { capitalize, formatMetricName, formatValue } from '../format.ts'
import { curveOf, type Scaling } from '../summary/scaling.ts'
import { armColor, isWide, type LinesChart, plotUnit } from './chart.ts'

/** A metric over an axis, one line an arm; null where no arm passed at two values. */
export function linesChart(id: string, scaling: Scaling): LinesChart | null {
  const { metric, axis, elsewhere, arms, steps, growth } = scaling
  const unit = unitOf(scaling)
  const curves = arms
    .map((arm) => ({ arm, points: curveOf(steps, arm, metric).toSorted(([a], [b]) => a - b) }))
    .filter(({ points }) => points.length > 1)
  if (unit === null || curves.length === 0) return null
  const { name, divisor } = plotUnit(unit)
  const drawn = curves.flatMap(({ points }) => points)
  const axes = [drawn.map(([x]) => x), drawn.map(([, y]) => y)]
  const powers = axes.every((values) => Math.min(...values) > 0) && axes.some(isWide)
  const title = `${capitalize(formatMetricName(metric))} over ${formatMetricName(axis.name)}${elsewhere === '' ? '' : `, ${elsewhere}`}`
  const said = curves.map(({ arm, points }) => {
    const figures = points.map(([x, y]) => `${formatValue(y, unit)} at ${x}`)
    return `${arm} ${figures.join(', ')}`
  })
  return {
    kind: 'lines',
    id,
    title,
    description: `${title}: ${said.join('; ')}.`,
    xAxis:
      axis.unit === null ? formatMetricName(axis.name) : `${formatMetricName(axis.name)} in ${axis.unit}`,
    yAxis: name,
    logarithmic: { x: powers, y: powers },
    lines: curves.map(({ arm, points }) => {
      const exponent = growth.get(arm)?.exponent
      return {
        arm,
        label: exponent === undefined ? arm : `${arm}, x^${exponent.toFixed(2)}`,
        color: armColor(arm, arms),
        points: points.map(([x, y]) => [x, y / divisor] as const),
      }
    }),
  }
}

function unitOf({ steps, metric }: Scaling) {
  const figures = steps.flatMap((step) => [...step.arms.values()].map((arm) => arm.figures.get(metric)))
  return figures.find((figure) => figure !== undefined)?.unit ?? null
}
