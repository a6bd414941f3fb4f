/** The tables that the console, Markdown and HTML reports share, as text: the three differ in nothing but their markup. */
import {
  formatBytes,
  formatCount,
  formatDuration,
  formatPercent,
  formatRatio,
  formatRatioRange,
  formatScalar,
} from './format.ts'
import type { Cell, Results, Scenario } from './schema.ts'
import type { ArmSummary } from './summary/arms.ts'
import { measuredPhases, peakBytesOf, requestsOf } from './summary/arms.ts'
import { applyWallMs, compareArms } from './summary/comparison.ts'
import { explainCell } from './summary/outcome.ts'
import { TIME_BASELINE } from './summary/verdict.ts'

interface Column {
  readonly title: string
  readonly numeric: boolean
}

export interface Table {
  readonly title: string
  readonly columns: readonly Column[]
  readonly rows: readonly (readonly string[])[]
}

/** Stands where a figure wasn't measured, or where the scenario has no such phase. */
const NONE = '–'

const text = (title: string): Column => ({ title, numeric: false })
const figure = (title: string): Column => ({ title, numeric: true })

/** Arm × the figures that decide; a failed arm is a row, too. */
export function comparisonTable(arms: readonly ArmSummary[]): Table {
  return {
    title: 'Comparison: medians over the repetitions that passed',
    columns: [
      text('arm'),
      figure('apply'),
      figure(`vs ${TIME_BASELINE}`),
      figure('peak memory (added)'),
      figure('S3 requests'),
      figure('written'),
      figure('read before'),
      figure('read after'),
      figure('read maintained'),
      text('verdict'),
    ],
    rows: arms.map((arm) => comparisonRow(arm, arms)),
  }
}

function comparisonRow(arm: ArmSummary, arms: readonly ArmSummary[]): readonly string[] {
  const { figures } = arm
  if (figures === null) return [arm.arm, ...Array.from({ length: 8 }, () => NONE), arm.outcome]
  return [
    arm.arm,
    formatDuration(figures.wallMs.median),
    speedAgainstBaseline(arm, arms),
    `${formatBytes(figures.peakBytes)} (+${formatBytes(figures.addedBytes)})`,
    figures.s3Requests === null ? NONE : formatCount(figures.s3Requests),
    formatBytes(figures.bytesWritten),
    durationOrNone(figures.readBeforeMs),
    durationOrNone(figures.readAfterMs),
    durationOrNone(figures.readAfterMaintenanceMs),
    arm.outcome,
  ]
}

/** How many times faster an arm is than the baseline; `1×` for the baseline itself. */
function speedAgainstBaseline(arm: ArmSummary, arms: readonly ArmSummary[]): string {
  const baseline = arms.find((other) => other.arm === TIME_BASELINE)
  if (baseline === undefined) return NONE
  if (baseline === arm) return '1×'
  const ratio = compareArms(baseline, arm, applyWallMs)
  return ratio === null ? NONE : formatRatio(ratio.ratio)
}

/** How sure the apply times and the ratios to the baseline are. */
export function certaintyTable(arms: readonly ArmSummary[]): Table {
  const baseline = arms.find((arm) => arm.arm === TIME_BASELINE)
  const rows = arms.flatMap((arm) => {
    if (arm.figures === null) return []
    const { n, median, low, high, coverage } = arm.figures.wallMs
    const ratio = baseline === undefined || baseline === arm ? null : compareArms(baseline, arm, applyWallMs)
    return [
      [
        arm.arm,
        formatCount(n),
        formatDuration(median),
        `${formatDuration(low)} – ${formatDuration(high)}`,
        formatPercent(coverage),
        ratio === null ? NONE : formatRatio(ratio.ratio),
        ratio === null ? NONE : formatRatioRange(ratio.low, ratio.high),
        ratio === null ? NONE : `${ratio.agreeing} of ${ratio.n}`,
      ],
    ]
  })
  const columns = [
    text('arm'),
    figure('n'),
    figure('median apply'),
    figure('interval of the median'),
    figure('its coverage'),
    figure(`faster than ${TIME_BASELINE}`),
    figure('interval of the ratio'),
    figure('pairs that agree'),
  ]
  return { title: 'How sure: order-statistic intervals, repetitions paired', columns, rows }
}

/** Every phase of every cell that was measured. */
export function phasesTable(cells: readonly Cell[]): Table {
  return {
    title: 'Every phase of every repetition',
    columns: [
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
    rows: cells.flatMap(phaseRows),
  }
}

function phaseRows(cell: Cell): readonly (readonly string[])[] {
  return measuredPhases(cell).map(({ name, phase }) => {
    const { memory, s3, postgres } = phase
    return [
      cell.arm,
      String(cell.repetition + 1),
      name,
      formatDuration(phase.wallMs),
      formatDuration(phase.cpuSeconds * 1000),
      formatBytes(memory.floorBytes),
      formatBytes(memory.addedBytes),
      formatBytes(peakBytesOf(phase)),
      bytesOrNone(memory.cgroupPeakBytes),
      bytesOrNone(memory.pssPeakBytes),
      bytesOrNone(phase.spillPeakBytes),
      countOrNone(requestsOf(phase)),
      s3.status === 'measured' ? formatBytes(s3.bytesIn) : NONE,
      s3.status === 'measured' ? formatBytes(s3.bytesOut) : NONE,
      postgres.status === 'measured' ? formatCount(postgres.calls) : NONE,
      postgres.status === 'measured' ? formatBytes(postgres.walBytes) : NONE,
      formatDuration(phase.orchestratorCpuSeconds * 1000),
    ]
  })
}

/** What each cell applied and left in the store, and how it ended. */
export function cellsTable(cells: readonly Cell[]): Table {
  return {
    title: 'Every repetition: what was applied, stored and checked',
    columns: [
      figure('order'),
      text('arm'),
      figure('rep.'),
      figure('rows'),
      figure('payload'),
      figure('commits'),
      figure('attempts'),
      figure('stored before'),
      figure('after'),
      figure('maintained'),
      text('outcome'),
    ],
    rows: cells.map((cell) => {
      const lead = [String(cell.order + 1), cell.arm, String(cell.repetition + 1)]
      const outcome = [cell.status, explainCell(cell)].filter((part) => part !== null).join(': ')
      if (!('measurements' in cell)) return [...lead, ...Array.from({ length: 7 }, () => NONE), outcome]
      const { applied, stored } = cell.measurements
      return [
        ...lead,
        formatCount(applied.rows),
        formatBytes(applied.payloadBytes),
        formatCount(applied.commits),
        formatCount(applied.attempts),
        describeStored(stored.before),
        describeStored(stored.afterApply),
        stored.afterMaintenance === null ? NONE : describeStored(stored.afterMaintenance),
        outcome,
      ]
    }),
  }
}

function describeStored({ objects, bytes }: { readonly objects: number; readonly bytes: number }): string {
  return `${formatBytes(bytes)} in ${formatCount(objects)}`
}

/** The settings of each arm; where cells of an arm differ, the first one's, since settings don't change within a run. */
export function settingsTable(arms: readonly ArmSummary[]): Table {
  const rows = arms.flatMap(({ arm, cells }) =>
    Object.entries(cells[0]?.settings ?? {}).map(([key, value]) => [arm, key, formatScalar(value)]),
  )
  return { title: 'Settings of each arm', columns: [text('arm'), text('setting'), text('value')], rows }
}

export function scenarioTable({ parameters, memoryCapBytes, repeat, data }: Scenario): Table {
  const facts = [
    ...Object.entries(parameters).map(([name, value]) => [name, formatScalar(value)]),
    ['memory cap of the loader', memoryCapBytes === null ? 'none' : formatBytes(memoryCapBytes)],
    ['interleaved repetitions', formatCount(repeat)],
  ]
  const measured =
    data === null
      ? []
      : [
          ['rows of the table', formatCount(data.rows)],
          ['payload of the table', formatBytes(data.payloadBytes)],
          ...Object.entries(data.storedBytes).map(([format, bytes]) => [
            `stored as ${format}`,
            formatBytes(bytes),
          ]),
          ['compression ratio', formatRatio(data.compressionRatio)],
        ]
  return {
    title: 'Parameters and data',
    columns: [text('what'), text('value')],
    rows: [...facts, ...measured],
  }
}

export function environmentTable({ lakeduelVersion, run, environment }: Results): Table {
  const { pod, git, versions } = environment
  const storage =
    run.storage.kind === 'local'
      ? 'local directory'
      : `S3, ${run.storage.origin}, ${run.storage.version}${run.storage.loopback ? ', over loopback' : ''}`
  const rows = [
    ['run', `${run.id}, ${run.startedAt} to ${run.finishedAt ?? 'not finished'}`],
    ['profile, seed', `${run.plan.profile}, ${run.plan.seed}`],
    ['processor', `${environment.cpuModel}, ${formatCount(environment.cores)} cores`],
    ['memory', formatBytes(environment.memoryBytes)],
    ['cap enforced by', pod.reason === '' ? pod.mechanism : `${pod.mechanism} (${pod.reason})`],
    ['kernel', environment.kernel],
    ['storage', storage],
    ['lakeduel', lakeduelVersion],
    ['commit', git === null ? 'unknown' : `${git.sha}${git.dirty ? ', with changes' : ''}`],
    ...Object.entries(versions).map(([name, version]) => [name, version ?? NONE]),
  ]
  return { title: 'Environment', columns: [text('what'), text('value')], rows }
}

function durationOrNone(ms: number | null): string {
  return ms === null ? NONE : formatDuration(ms)
}

function bytesOrNone(bytes: number | null): string {
  return bytes === null ? NONE : formatBytes(bytes)
}

function countOrNone(count: number | null): string {
  return count === null ? NONE : formatCount(count)
}
