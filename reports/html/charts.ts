/**
 * What the charts of the page plot, as data: Chart.js draws it as it is, so that tests can hold the plotted numbers
 * against the results. Colours are names of CSS variables, which the page's script resolves for its colour scheme.
 */
import { formatBytes, formatCount, formatDuration, formatRatio } from '../format.ts'
import type { Cell } from '../schema.ts'
import { median } from '../statistics/quantile.ts'
import { type ArmFigures, type ArmSummary, peakBytesOf } from '../summary/arms.ts'

const MIB = 1024 ** 2

export interface Bars {
  readonly kind: 'bars'
  readonly label: string
  /** One per arm, in the unit of the chart; null draws no bar. */
  readonly values: readonly (number | null)[]
  /** CSS variables, one per arm. */
  readonly colors: readonly string[]
}

export interface Points {
  readonly kind: 'points' | 'crosses'
  readonly label: string
  readonly points: readonly { readonly arm: string; readonly value: number }[]
}

export interface Chart {
  readonly id: string
  readonly title: string
  /** What the chart says, for those who don't see it. */
  readonly description: string
  readonly axis: string
  readonly stacked: boolean
  readonly arms: readonly string[]
  readonly series: readonly (Bars | Points)[]
  /** Written behind the bar of each arm: its figure, or why it has none. */
  readonly notes: readonly string[]
  /** Arms that failed in some repetition: their notes are marked. */
  readonly failed: readonly boolean[]
  /** A line across all arms, such as the memory cap. */
  readonly limit: { readonly value: number; readonly label: string } | null
}

/** The charts of a scenario. One without any figure is left out: the table says why there is none. */
export function chartsOf(
  scenario: string,
  arms: readonly ArmSummary[],
  memoryCapBytes: number | null,
): readonly Chart[] {
  return [
    applyTimeChart(scenario, arms),
    memoryChart(scenario, arms, memoryCapBytes),
    readChart(scenario, arms),
    requestsChart(scenario, arms),
  ].filter((chart) => chart.series.some(holdsFigures))
}

function holdsFigures(series: Bars | Points): boolean {
  return series.kind === 'bars' ? series.values.some((value) => value !== null) : series.points.length > 0
}

function applyTimeChart(scenario: string, arms: readonly ArmSummary[]): Chart {
  const notes = arms.map((arm) => noteOf(arm, (figures) => formatDuration(figures.wallMs.median)))
  return {
    id: `${scenario}-apply-time`,
    title: 'Time to apply the batch',
    description: describe('Median time to apply the batch', arms, notes),
    axis: 'seconds (less is better)',
    stacked: false,
    arms: arms.map((arm) => arm.arm),
    series: [
      {
        kind: 'bars',
        label: 'median',
        values: arms.map((arm) => (arm.figures ? arm.figures.wallMs.median / 1000 : null)),
        colors: armColors(arms),
      },
      {
        kind: 'points',
        label: 'each repetition',
        points: arms.flatMap((arm) =>
          arm.passed.map((cell) => ({
            arm: arm.arm,
            value: cell.measurements.phases.apply.wallMs / 1000,
          })),
        ),
      },
    ],
    notes,
    failed: failedOf(arms),
    limit: null,
  }
}

function memoryChart(scenario: string, arms: readonly ArmSummary[], capBytes: number | null): Chart {
  const notes = arms.map((arm) =>
    noteOf(arm, ({ peakBytes, addedBytes }) => `${formatBytes(peakBytes)}, +${formatBytes(addedBytes)}`),
  )
  return {
    id: `${scenario}-memory`,
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
      values: arms.map((arm) => (arm.figures ? arm.figures.floorBytes / MIB : null)),
      colors: arms.map(() => '--floor'),
    },
    {
      kind: 'bars',
      label: 'added by the engine',
      values: arms.map((arm) => (arm.figures ? arm.figures.addedBytes / MIB : null)),
      colors: armColors(arms),
    },
    {
      kind: 'points',
      label: 'peak of each repetition',
      points: arms.flatMap((arm) =>
        arm.passed.map((cell) => ({
          arm: arm.arm,
          value: peakBytesOf(cell.measurements.phases.apply) / MIB,
        })),
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

function readChart(scenario: string, arms: readonly ArmSummary[]): Chart {
  const reads = [
    { label: 'before', color: '--read-before', of: (arm: ArmSummary) => arm.figures?.readBeforeMs ?? null },
    {
      label: 'after the merge',
      color: '--read-after',
      of: (arm: ArmSummary) => arm.figures?.readAfterMs ?? null,
    },
    {
      label: 'after maintenance',
      color: '--read-maintained',
      of: (arm: ArmSummary) => arm.figures?.readAfterMaintenanceMs ?? null,
    },
  ]
  const notes = arms.map((arm) => noteOf(arm, describeReadCost))
  return {
    id: `${scenario}-reads`,
    title: 'The same query before, after, and after maintenance',
    description: describe('Median time of a read after the merge, against before', arms, notes),
    axis: 'milliseconds (less is better)',
    stacked: false,
    arms: arms.map((arm) => arm.arm),
    series: reads.map(({ label, color, of }) => ({
      kind: 'bars',
      label,
      values: arms.map(of),
      colors: arms.map(() => color),
    })),
    notes,
    failed: failedOf(arms),
    limit: null,
  }
}

function describeReadCost({ readBeforeMs: before, readAfterMs: after }: ArmFigures): string {
  if (after === null) return 'no reading query'
  return before === null || before === 0 ? formatDuration(after) : `${formatRatio(after / before)} after`
}

function requestsChart(scenario: string, arms: readonly ArmSummary[]): Chart {
  const operations = operationsBySize(arms)
  const notes = arms.map((arm) =>
    noteOf(arm, ({ s3Requests }) => (s3Requests === null ? 'not counted' : formatCount(s3Requests))),
  )
  return {
    id: `${scenario}-s3-requests`,
    title: 'S3 requests while applying, by operation',
    description: describe('Median S3 requests', arms, notes),
    axis: 'requests (fewer are better)',
    stacked: true,
    arms: arms.map((arm) => arm.arm),
    series: operations.map((operation, index) => ({
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
  const counts = arm.passed.flatMap((cell) => {
    const { s3 } = cell.measurements.phases.apply
    return s3.status === 'measured' ? [s3.byOperation[operation] ?? 0] : []
  })
  return counts.length === 0 ? null : median(counts)
}

/** The operations with most requests first, so that the largest part of each bar begins at the axis. */
function operationsBySize(arms: readonly ArmSummary[]): readonly string[] {
  const totals = new Map<string, number>()
  for (const cell of arms.flatMap((arm) => arm.passed)) {
    const { s3 } = cell.measurements.phases.apply
    if (s3.status === 'unavailable') continue
    for (const [operation, count] of Object.entries(s3.byOperation)) {
      totals.set(operation, (totals.get(operation) ?? 0) + count)
    }
  }
  return [...totals].toSorted((a, b) => b[1] - a[1]).map(([operation]) => operation)
}

/** One hue per format, and a shade of it per arm in the order of names, so that an arm looks alike in all scenarios. */
function armColors(arms: readonly ArmSummary[]): readonly string[] {
  return arms.map(({ arm, format }) => {
    const family = arms
      .filter((other) => other.format === format)
      .map((other) => other.arm)
      .toSorted()
    const hue = format === 'ducklake' || format === 'delta' ? format : 'other'
    return `--${hue}-${family.indexOf(arm) % 4}`
  })
}

/** An arm's figure, or why it has none; one that failed in some repetitions only is told apart from the ranked ones. */
function noteOf(arm: ArmSummary, figure: (figures: ArmFigures) => string): string {
  if (arm.figures === null) return arm.outcome
  return arm.sound ? figure(arm.figures) : `${figure(arm.figures)}, not ranked`
}

function failedOf(arms: readonly ArmSummary[]): readonly boolean[] {
  return arms.map((arm) => !arm.sound)
}

function describe(what: string, arms: readonly ArmSummary[], notes: readonly string[]): string {
  return `${what}: ${arms.map((arm, index) => `${arm.arm} ${notes[index] ?? ''}`).join('; ')}.`
}
