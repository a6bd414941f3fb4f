import { capitalize, formatAxisValue, formatMetricName, formatValue } from '../format.ts'
import type { Unit } from '../schema.ts'
import { curveOf, failuresOf, type Scaling } from '../summary/scaling.ts'
import { armColor, type Flags, isWide, type LinesChart, plotUnit } from './chart.ts'

interface Curve {
  readonly arm: string
  readonly points: readonly (readonly [x: number, y: number])[]
  readonly failures: Flags['points']
}

/** A metric over an axis, one line an arm, with a cross wherever it failed; null where no arm has something to draw. */
export function linesChart(id: string, scaling: Scaling): LinesChart | null {
  const { metric, axis, elsewhere, arms, growth } = scaling
  const unit = unitOf(scaling)
  const curves = arms
    .map((arm) => curveWithFailures(scaling, arm))
    .filter(({ points, failures }) => points.length > 1 || failures.length > 0)
  const drawn = curves.flatMap(({ points }) => points)
  if (unit === null || drawn.length === 0) return null
  const { name, divisor } = plotUnit(unit)
  const failed = curves.flatMap(({ failures }) => failures)
  const axes = [[...drawn, ...failed.map(({ x }) => [x] as const)].map(([x]) => x), drawn.map(([, y]) => y)]
  const powers = axes.every((values) => Math.min(...values) > 0) && axes.some(isWide)
  const title = `${capitalize(formatMetricName(metric))} over ${formatMetricName(axis.name)}${elsewhere === '' ? '' : `, ${elsewhere}`}`
  return {
    kind: 'lines',
    id,
    title,
    description: `${title}: ${curves.map((curve) => describe(curve, unit)).join('; ')}.`,
    xAxis:
      axis.unit === null ? formatMetricName(axis.name) : `${formatMetricName(axis.name)} in ${axis.unit}`,
    yAxis: name,
    logarithmic: { x: powers, y: powers },
    along: { axis: axis.name, elsewhere },
    lines: curves.map(({ arm, points }) => {
      const exponent = growth.get(arm)?.exponent
      return {
        arm,
        label: exponent === undefined ? arm : `${arm}, x^${exponent.toFixed(2)}`,
        color: armColor(arm, arms),
        points: points.map(([x, y]) => [x, y / divisor] as const),
      }
    }),
    flags: curves.flatMap(({ arm, failures }) =>
      failures.length === 0
        ? []
        : [{ kind: 'failed', arm, color: armColor(arm, arms), points: failures } as const],
    ),
  }
}

function curveWithFailures({ steps, metric, axis }: Scaling, arm: string): Curve {
  return {
    arm,
    points: curveOf(steps, arm, metric).toSorted(([a], [b]) => a - b),
    failures: failuresOf(steps, arm)
      .toSorted((a, b) => a.value - b.value)
      .map(({ value, label, outcome }) => ({
        x: value,
        y: null,
        note: `at ${formatMetricName(axis.name)} ${formatAxisValue(value, axis)}: ${outcome}`,
        at: label,
      })),
  }
}

function describe({ arm, points, failures }: Curve, unit: Unit): string {
  const figures = points.map(([x, y]) => `${formatValue(y, unit)} at ${x}`)
  return `${arm} ${[...figures, ...failures.map(({ note }) => note)].join(', ')}`
}

function unitOf({ steps, metric }: Scaling): Unit | null {
  const figures = steps.flatMap((step) => [...step.arms.values()].map((arm) => arm.figures.get(metric)))
  return figures.find((figure) => figure !== undefined)?.unit ?? null
}
