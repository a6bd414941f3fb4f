import {
  formatBytes,
  formatCount,
  formatDuration,
  formatMetricName,
  formatPoint,
  formatValue,
} from '../format.ts'
import { peakBytesOf, phasesOf } from '../metrics.ts'
import type { Cell } from '../schema.ts'
import { explainCell } from '../summary/outcome.ts'
import type { ScenarioSummary } from '../summary.ts'
import { bytesOrNone, figure, NONE, type Table, text } from './table.ts'

/** Every phase of every cell that was measured. */
export function phasesTable({ cells, scenario: { axes } }: ScenarioSummary): Table {
  const where = axes.length === 0 ? [] : [text('at')]
  return {
    title: 'Every phase of every repetition',
    columns: [
      ...where,
      text('arm'),
      figure('rep.'),
      text('phase'),
      figure('wall'),
      figure('CPU'),
      figure('floor'),
      figure('added'),
      figure('peak'),
      figure('cgroup peak'),
      figure('PSS peak'),
      figure('spill'),
      figure('S3 requests'),
      figure('S3 in'),
      figure('S3 out'),
      figure('Postgres calls'),
      figure('WAL'),
      figure('harness CPU'),
    ],
    rows: cells.flatMap((cell) =>
      phaseRows(cell).map((row) => [...where.map(() => formatPoint(cell.point, axes)), ...row]),
    ),
  }
}

function phaseRows(cell: Cell): readonly (readonly string[])[] {
  return phasesOf(cell).map(([name, phase]) => {
    const { memory, s3, postgres } = phase
    return [
      cell.arm,
      repetitionOf(cell),
      name,
      formatDuration(phase.wallMs),
      formatDuration(phase.cpuSeconds * 1000),
      formatBytes(memory.floorBytes),
      formatBytes(memory.addedBytes),
      formatBytes(peakBytesOf(phase)),
      bytesOrNone(memory.cgroupPeakBytes),
      bytesOrNone(memory.pssPeakBytes),
      bytesOrNone(phase.spillPeakBytes),
      s3.status === 'measured' ? formatCount(s3.requests) : NONE,
      s3.status === 'measured' ? formatBytes(s3.bytesIn) : NONE,
      s3.status === 'measured' ? formatBytes(s3.bytesOut) : NONE,
      postgres.status === 'measured' ? formatCount(postgres.calls) : NONE,
      postgres.status === 'measured' ? formatBytes(postgres.walBytes) : NONE,
      formatDuration(phase.orchestratorCpuSeconds * 1000),
    ]
  })
}

/** What each cell measured beyond its phases, and how it ended. */
export function cellsTable({ cells, scenario: { axes } }: ScenarioSummary): Table {
  const where = axes.length === 0 ? [] : [text('at')]
  const names = [...new Set(cells.flatMap((cell) => Object.keys(ownMetrics(cell))))]
  return {
    title: 'Every repetition: what was measured and checked',
    columns: [
      figure('order'),
      ...where,
      text('arm'),
      figure('rep.'),
      ...names.map((name) => figure(formatMetricName(name))),
      text('outcome'),
    ],
    rows: cells.map((cell) => [
      String(cell.order + 1),
      ...where.map(() => formatPoint(cell.point, axes)),
      cell.arm,
      repetitionOf(cell),
      ...names.map((name) => {
        const metric = ownMetrics(cell)[name]
        return metric === undefined ? NONE : formatValue(metric.value, metric.unit)
      }),
      [cell.status, explainCell(cell)].filter((part) => part !== null).join(': '),
    ]),
  }
}

function ownMetrics(cell: Cell) {
  return cell.status === 'skipped' ? {} : cell.metrics
}

function repetitionOf({ repetition, control }: Cell): string {
  return `${repetition + 1}${control ? ' control' : ''}`
}
