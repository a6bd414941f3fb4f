import {
  capitalize,
  formatBytes,
  formatCount,
  formatDuration,
  formatMetricName,
  formatRatio,
  formatValue,
} from '../format.ts'
import { peakBytesOf } from '../metrics.ts'
import type { Cell } from '../schema.ts'
import { median } from '../statistics/quantile.ts'
import { type ArmSummary, medianOf } from '../summary/arms.ts'
import { type ArmsChart, armColor, type Bars, type Points, plotUnit } from './chart.ts'

const MIB = 1024 ** 2
const PEAK_BYTES = 'apply.memory.peakBytes'
const FLOOR_BYTES = 'apply.memory.floorBytes'
const ADDED_BYTES = 'apply.memory.addedBytes'

/** The charts of one point of a scenario. One without any figure is left out: the table says why there is none. */
export function armsCharts(
  id: string,
  arms: readonly ArmSummary[],
  metric: string,
  memoryCapBytes: number | null,
): readonly ArmsChart[] {
  return [
    headlineChart(`${id}-headline`, arms, metric),
    memoryChart(`${id}-memory`, arms, memoryCapBytes),
    readChart(`${id}-reads`, arms),
    requestsChart(`${id}-s3-requests`, arms),
  ].filter((chart) => chart.series.some(holdsFigures))
}

function holdsFigures(series: Bars | Points): boolean {
  return series.kind === 'bars' ? series.values.some((value) => value !== null) : series.points.length > 0
}

/** The metric that ranks the arms: the median as a bar, each repetition as a point. */
function headlineChart(id: string, arms: readonly ArmSummary[], metric: string): ArmsChart {
  const found = arms.flatMap(({ figures }) => figures.get(metric) ?? [])[0]
  const unit = found?.unit ?? 'count'
  const { name, divisor } = plotUnit(unit)
  const notes = arms.map((arm) => noteOf(arm, metric, (value) => formatValue(value, unit)))
  const title = metric === 'apply.wallMs' ? 'Time to apply the batch' : capitalize(formatMetricName(metric))
  return {
    kind: 'arms',
    id,
    title,
    description: describe(`${title}, median`, arms, notes),
    axis: `${name} (${found?.better === 'higher' ? 'more' : 'less'} is better)`,
    stacked: false,
    arms: arms.map((arm) => arm.arm),
    series: [
      { kind: 'bars', label: 'median', values: medians(arms, metric, divisor), colors: armColors(arms) },
      {
        kind: 'points',
        label: 'each repetition',
        points: arms.flatMap(({ arm, figures }) =>
          [...(figures.get(metric)?.byRepetition.values() ?? [])].map((value) => ({
            arm,
            value: value / divisor,
          })),
        ),
      },
    ],
    notes,
    failed: failedOf(arms),
    limit: null,
  }
}

function memoryChart(id: string, arms: readonly ArmSummary[], capBytes: number | null): ArmsChart {
  const notes = arms.map((arm) =>
    noteOf(
      arm,
      PEAK_BYTES,
      (peak) => `${formatBytes(peak)}, +${formatBytes(medianOf(arm, ADDED_BYTES) ?? 0)}`,
    ),
  )
  return {
    kind: 'arms',
    id,
    title: 'Peak memory while applying',
    description: describe('Median peak memory, and what the engine added to the floor', arms, notes),
    axis: 'MiB (less is better)',
    stacked: true,
    arms: arms.map((arm) => arm.arm),
    series: memorySeries(arms),
    notes,
    failed: failedOf(arms),
    limit: capBytes === null ? null : { value: capBytes / MIB, label: `cap ${formatBytes(capBytes)}` },
  }
}

function memorySeries(arms: readonly ArmSummary[]): readonly (Bars | Points)[] {
  return [
    {
      kind: 'bars',
      label: 'floor: Node, interpreter',
      values: medians(arms, FLOOR_BYTES, MIB),
      colors: arms.map(() => '--floor'),
    },
    {
      kind: 'bars',
      label: 'added by the engine',
      values: medians(arms, ADDED_BYTES, MIB),
      colors: armColors(arms),
    },
    {
      kind: 'points',
      label: 'peak of each repetition',
      points: arms.flatMap((arm) =>
        applyPhases(arm).map((phase) => ({ arm: arm.arm, value: peakBytesOf(phase) / MIB })),
      ),
    },
    {
      kind: 'crosses',
      label: 'killed at',
      points: arms.flatMap((arm) => arm.cells.flatMap(killedAt)),
    },
  ]
}

function killedAt(cell: Cell): readonly { readonly arm: string; readonly value: number }[] {
  return cell.status === 'oom-killed' ? [{ arm: cell.arm, value: cell.peakBytes / MIB }] : []
}

function readChart(id: string, arms: readonly ArmSummary[]): ArmsChart {
  const reads = [
    { label: 'before', color: '--read-before', metric: 'read-before.wallMs' },
    { label: 'after the merge', color: '--read-after', metric: 'read-after.wallMs' },
    { label: 'after maintenance', color: '--read-maintained', metric: 'read-after-maintenance.wallMs' },
  ]
  const notes = arms.map((arm) => noteOf(arm, 'read-after.wallMs', (after) => describeReadCost(arm, after)))
  return {
    kind: 'arms',
    id,
    title: 'The same query before, after, and after maintenance',
    description: describe('Median time of a read after the merge, against before', arms, notes),
    axis: 'milliseconds (less is better)',
    stacked: false,
    arms: arms.map((arm) => arm.arm),
    series: reads.map(({ label, color, metric }) => ({
      kind: 'bars',
      label,
      values: medians(arms, metric, 1),
      colors: arms.map(() => color),
    })),
    notes,
    failed: failedOf(arms),
    limit: null,
  }
}

function describeReadCost(arm: ArmSummary, after: number): string {
  const before = medianOf(arm, 'read-before.wallMs')
  return before === null || before === 0 ? formatDuration(after) : `${formatRatio(after / before)} after`
}

function requestsChart(id: string, arms: readonly ArmSummary[]): ArmsChart {
  const notes = arms.map((arm) => noteOf(arm, 'apply.s3.requests', formatCount))
  return {
    kind: 'arms',
    id,
    title: 'S3 requests while applying, by operation',
    description: describe('Median S3 requests', arms, notes),
    axis: 'requests (fewer are better)',
    stacked: true,
    arms: arms.map((arm) => arm.arm),
    series: operationsBySize(arms).map((operation, index) => ({
      kind: 'bars',
      label: operation,
      values: arms.map((arm) => medianRequests(arm, operation)),
      colors: arms.map(() => `--operation-${index % 6}`),
    })),
    notes,
    failed: failedOf(arms),
    limit: null,
  }
}

/** Median requests of one operation over the repetitions that passed; null where requests weren't counted. */
function medianRequests(arm: ArmSummary, operation: string): number | null {
  const counts = applyPhases(arm).flatMap(({ s3 }) =>
    s3.status === 'measured' ? [s3.byOperation[operation] ?? 0] : [],
  )
  return counts.length === 0 ? null : median(counts)
}

/** The operations with most requests first, so that the largest part of each bar begins at the axis. */
function operationsBySize(arms: readonly ArmSummary[]): readonly string[] {
  const totals = new Map<string, number>()
  for (const { s3 } of arms.flatMap(applyPhases)) {
    if (s3.status === 'unavailable') continue
    for (const [operation, count] of Object.entries(s3.byOperation)) {
      totals.set(operation, (totals.get(operation) ?? 0) + count)
    }
  }
  return [...totals].toSorted((a, b) => b[1] - a[1]).map(([operation]) => operation)
}

function applyPhases({ passed }: ArmSummary) {
  return passed.flatMap(({ phases }) => phases['apply'] ?? [])
}

function medians(arms: readonly ArmSummary[], metric: string, divisor: number): readonly (number | null)[] {
  return arms.map((arm) => {
    const value = medianOf(arm, metric)
    return value === null ? null : value / divisor
  })
}

function armColors(arms: readonly ArmSummary[]): readonly string[] {
  const names = arms.map(({ arm }) => arm)
  return names.map((arm) => armColor(arm, names))
}

/** An arm's figure, or why it has none; one that failed in some repetitions only is told apart from the ranked ones. */
function noteOf(arm: ArmSummary, metric: string, describeFigure: (value: number) => string): string {
  const value = medianOf(arm, metric)
  if (value === null) return arm.passed.length === 0 ? arm.outcome : 'not measured'
  return arm.sound ? describeFigure(value) : `${describeFigure(value)}, not ranked`
}

function failedOf(arms: readonly ArmSummary[]): readonly boolean[] {
  return arms.map((arm) => !arm.sound)
}

function describe(what: string, arms: readonly ArmSummary[], notes: readonly string[]): string {
  return `${what}: ${arms.map((arm, index) => `${arm.arm} ${notes[index] ?? ''}`).join('; ')}.`
}
