import {
  formatCount,
  formatMetricName,
  formatPercent,
  formatRatio,
  formatRatioRange,
  formatValue,
} from '../format.ts'
import type { PairedRatio } from '../statistics/paired-ratio.ts'
import type { ArmSummary } from '../summary/arms.ts'
import { advantageOf } from '../summary/comparison.ts'
import { BASELINE } from '../summary/verdict.ts'
import type { ScenarioSummary } from '../summary.ts'
import { figure, NONE, type Table, text } from './table.ts'

/** How sure the headline figures and the ratios to the baseline are. */
export function certaintyTable({ points, metric, scenario: { axes } }: ScenarioSummary): Table {
  const where = axes.length === 0 ? [] : [text('at')]
  const columns = [
    ...where,
    text('arm'),
    figure('n'),
    figure(`median ${metric === 'apply.wallMs' ? 'apply' : formatMetricName(metric ?? '')}`),
    figure('interval of the median'),
    figure('its coverage'),
    figure(`better than ${BASELINE}`),
    figure('interval of the ratio'),
    figure('pairs that agree'),
    figure('smallest effect it can see'),
  ]
  const rows = points.flatMap(({ label, arms }) =>
    arms.flatMap((arm) => certaintyRow(arm, arms, metric).map((row) => [...where.map(() => label), ...row])),
  )
  return { title: 'How sure: order-statistic intervals, repetitions paired', columns, rows }
}

/** No row for an arm without a figure. */
function certaintyRow(
  arm: ArmSummary,
  arms: readonly ArmSummary[],
  metric: string | null,
): readonly (readonly string[])[] {
  const found = metric === null ? undefined : arm.figures.get(metric)
  if (metric === null || found === undefined) return []
  const { unit, interval } = found
  const baseline = arms.find((other) => other.arm === BASELINE)
  const ratio = baseline === undefined || baseline === arm ? null : advantageOf(arm, baseline, metric)
  return [
    [
      arm.arm,
      formatCount(interval.n),
      formatValue(interval.median, unit),
      `${formatValue(interval.low, unit)} – ${formatValue(interval.high, unit)}`,
      formatPercent(interval.coverage),
      ratio === null ? NONE : formatRatio(ratio.ratio),
      ratio === null ? NONE : formatRatioRange(ratio.low, ratio.high),
      ratio === null ? NONE : `${ratio.agreeing} of ${ratio.n}`,
      ratio === null || ratio.n < 2 ? NONE : formatPercent(smallestEffect(ratio)),
    ],
  ]
}

/** Half of the interval's width: a smaller difference would have left 1 within the interval. */
function smallestEffect({ low, high }: PairedRatio): number {
  return Math.sqrt(high / low) - 1
}
