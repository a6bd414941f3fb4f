import { capitalize, formatMetricName, formatValue } from '../format.ts'
import type { ArmSummary, Figure } from '../summary/arms.ts'
import type { PointSummary } from '../summary/points.ts'
import { armColor, isWide, type LinesChart, plotUnit } from './chart.ts'

/** What is held against memory, and the memory of the same phase: the first pair that was measured. */
const PAIRS = [
  { metric: 'apply.wallMs', peak: 'apply.memory.peakBytes' },
  { metric: 'commitsPerSecond', peak: 'commit.memory.peakBytes' },
] as const

interface Placed {
  readonly arm: ArmSummary
  readonly x: Figure
  readonly y: Figure
}

/**
 * How fast each arm is against the memory that it takes, one mark an arm, at the point of a scenario where most arms
 * have both figures, the first one of several. Null where fewer than two arms have both.
 */
export function tradeOffChart(id: string, points: readonly PointSummary[]): LinesChart | null {
  const candidates = PAIRS.flatMap((pair) =>
    points.map((point) => ({ pair, point, placed: place(point, pair) })),
  )
  const best = candidates.reduce<(typeof candidates)[number] | null>(
    (most, one) => (one.placed.length > (most?.placed.length ?? 1) ? one : most),
    null,
  )
  const [first] = best?.placed ?? []
  if (best === null || first === undefined) return null
  const { pair, point, placed } = best
  const [x, y] = [plotUnit(first.x.unit), plotUnit('bytes')]
  const names = point.arms.map(({ arm }) => arm)
  const marks = placed.map(
    (one) => [one.x.interval.median / x.divisor, one.y.interval.median / y.divisor] as const,
  )
  const title = `${nameOf(pair.metric)} against peak memory${point.label === '' ? '' : `, ${point.label}`}`
  const absent = point.arms.filter((arm) => placed.every((one) => one.arm !== arm))
  return {
    kind: 'lines',
    id,
    title,
    description: `${title}: ${[...placed.map(describe), ...absent.map(({ arm, outcome }) => `${arm} has no mark (${outcome})`)].join('; ')}.`,
    xAxis: `${x.name} (${first.x.better === 'higher' ? 'more' : 'less'} is better)`,
    yAxis: `peak memory in ${y.name} (less is better)`,
    logarithmic: { x: isWide(marks.map(([value]) => value)), y: isWide(marks.map(([, value]) => value)) },
    marked: true,
    lines: placed.map(({ arm }, index) => ({
      arm: arm.arm,
      label: arm.sound ? arm.arm : `✕ ${arm.arm}, not ranked`,
      color: armColor(arm.arm, names),
      points: marks.slice(index, index + 1),
    })),
    absent: absent.map(
      ({ arm, outcome, passed }) => `${arm}: ${passed.length === 0 ? outcome : 'not measured'}`,
    ),
  }
}

function place({ arms }: PointSummary, { metric, peak }: (typeof PAIRS)[number]): readonly Placed[] {
  return arms.flatMap((arm) => {
    const [x, y] = [arm.figures.get(metric), arm.figures.get(peak)]
    return x === undefined || y === undefined ? [] : [{ arm, x, y }]
  })
}

function describe({ arm, x, y }: Placed): string {
  return `${arm.arm} ${formatValue(x.interval.median, x.unit)} and ${formatValue(y.interval.median, y.unit)}`
}

function nameOf(metric: string): string {
  return metric === 'apply.wallMs' ? 'Time to apply' : capitalize(formatMetricName(metric))
}
