import { formatBytes, formatMetricName, formatRatio, formatValue } from '../format.ts'
import { type ArmSummary, medianOf } from '../summary/arms.ts'
import { advantageOf } from '../summary/comparison.ts'
import type { PointSummary } from '../summary/points.ts'
import { BASELINE } from '../summary/verdict.ts'
import type { ScenarioSummary } from '../summary.ts'
import { type Column, NONE, type Table } from './table.ts'

interface FigureColumn extends Column {
  /** The metric without which the column isn't shown. */
  readonly metric: string
  readonly of: (arm: ArmSummary, point: PointSummary) => string
}

/** Metrics that describe a cell rather than rank it: they stand in the table of the cells. */
const DESCRIPTIVE = /^(?:attempts|stored|engine\.)/

/** Point × arm × the figures that decide; a failed arm is a row, too. */
export function comparisonTable(scenario: ScenarioSummary): Table {
  const {
    points,
    scenario: { axes },
  } = scenario
  const columns = figureColumns(scenario).filter(({ metric }) =>
    points.some(({ arms }) => arms.some((arm) => arm.figures.has(metric))),
  )
  const where: readonly Column[] = axes.length === 0 ? [] : [{ title: 'at', numeric: false }]
  return {
    title: 'Comparison: medians over the repetitions that passed',
    columns: [...where, { title: 'arm', numeric: false }, ...columns, { title: 'verdict', numeric: false }],
    rows: points.flatMap((point) =>
      point.arms.map((arm) => [
        ...where.map(() => point.label),
        arm.arm,
        ...columns.map((column) => column.of(arm, point)),
        arm.outcome,
      ]),
    ),
  }
}

function figureColumns({ metric, points }: ScenarioSummary): readonly FigureColumn[] {
  if (metric === null) return []
  const headline = medianColumn(metric === 'apply.wallMs' ? 'apply' : formatMetricName(metric), metric)
  const apply = metric === 'apply.wallMs' ? [] : [medianColumn('apply', 'apply.wallMs', 2)]
  const common = [headline, ...baselineColumns(metric, points), ...apply, peakColumn, ...BATCH_COLUMNS]
  const covered = new Set(common.map((column) => column.metric))
  return [...common, ...ownColumns(points, covered)]
}

function medianColumn(title: string, metric: string, dispensable?: number): FigureColumn {
  return {
    title,
    numeric: true,
    metric,
    ...(dispensable !== undefined && { dispensable }),
    of: ({ figures }) => {
      const found = figures.get(metric)
      return found === undefined ? NONE : formatValue(found.interval.median, found.unit)
    },
  }
}

const peakColumn: FigureColumn = {
  title: 'peak memory (added)',
  numeric: true,
  dispensable: 1,
  metric: 'apply.memory.peakBytes',
  of: (arm) => {
    const peak = medianOf(arm, 'apply.memory.peakBytes')
    const added = medianOf(arm, 'apply.memory.addedBytes')
    return peak === null || added === null ? NONE : `${formatBytes(peak)} (+${formatBytes(added)})`
  },
}

const BATCH_COLUMNS: readonly FigureColumn[] = [
  medianColumn('S3 requests', 'apply.s3.requests', 3),
  medianColumn('written', 'bytesWritten', 4),
  medianColumn('read before', 'read-before.wallMs', 7),
  medianColumn('read after', 'read-after.wallMs', 2),
  medianColumn('read maintained', 'read-after-maintenance.wallMs', 6),
]

/** How many times better an arm is than the baseline at the same point; `1×` for the baseline itself. */
function baselineColumns(metric: string, points: readonly PointSummary[]): readonly FigureColumn[] {
  if (!points.some(({ arms }) => arms.some(({ arm }) => arm === BASELINE))) return []
  const column: FigureColumn = {
    title: `vs ${BASELINE}`,
    numeric: true,
    dispensable: 5,
    metric,
    of: (arm, { arms }) => {
      const baseline = arms.find((other) => other.arm === BASELINE)
      if (baseline === undefined) return NONE
      if (baseline === arm) return '1×'
      const advantage = advantageOf(arm, baseline, metric)
      return advantage === null ? NONE : formatRatio(advantage.ratio)
    },
  }
  return [column]
}

/** What the scenario measures beyond the usual, in the order in which it gives it. */
function ownColumns(points: readonly PointSummary[], covered: ReadonlySet<string>): readonly FigureColumn[] {
  const cells = points.flatMap(({ arms }) => arms.flatMap((arm) => arm.passed))
  const directed = cells.flatMap((cell) =>
    Object.entries(cell.metrics).flatMap(([name, { better }]) => (better === 'neither' ? [] : [name])),
  )
  return [...new Set(directed)]
    .filter((name) => !covered.has(name) && !DESCRIPTIVE.test(name))
    .map((name, index) => medianColumn(formatMetricName(name), name, 8 + index))
}
