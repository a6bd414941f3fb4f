import type { Cell, Measurements, PassedCell, Phase, PhaseName, Results } from '../schema.ts'
import { PHASES } from '../schema.ts'
import { type MedianInterval, medianInterval } from '../statistics/median-interval.ts'
import { median } from '../statistics/quantile.ts'
import { describeOutcome } from './outcome.ts'

/** Medians over the repetitions that passed. Null: not measured, or the scenario has no such phase. */
export interface ArmFigures {
  readonly wallMs: MedianInterval
  readonly cpuSeconds: number
  readonly floorBytes: number
  readonly addedBytes: number
  readonly peakBytes: number
  readonly s3Requests: number | null
  readonly bytesWritten: number
  readonly readBeforeMs: number | null
  readonly readAfterMs: number | null
  readonly maintainMs: number | null
  readonly readAfterMaintenanceMs: number | null
}

/** One arm of one scenario: a row of every table, whether it passed or not. */
export interface ArmSummary {
  readonly arm: string
  readonly format: string
  /** By repetition. */
  readonly cells: readonly Cell[]
  readonly passed: readonly PassedCell[]
  /** Every repetition that ran has passed; only such an arm is ranked. */
  readonly sound: boolean
  /** `passed`, or what went wrong and how often. */
  readonly outcome: string
  readonly figures: ArmFigures | null
}

/** The arms of a scenario, ranked: sound ones by median apply time, then the others in the order in which they ran. */
export function summarizeArms(results: Results, scenario: string): readonly ArmSummary[] {
  const byArm = Map.groupBy(
    results.cells.filter((cell) => cell.scenario === scenario),
    (cell) => cell.arm,
  )
  const arms = [...byArm].map(([arm, cells]) => summarizeArm(arm, cells))
  const rank = (arm: ArmSummary) => (arm.sound ? (arm.figures?.wallMs.median ?? Infinity) : Infinity)
  return arms.toSorted((a, b) => (rank(a) === rank(b) ? 0 : rank(a) - rank(b)))
}

function summarizeArm(arm: string, unsorted: readonly Cell[]): ArmSummary {
  const cells = unsorted.toSorted((a, b) => a.repetition - b.repetition)
  const passed = cells.filter((cell) => cell.status === 'passed')
  return {
    arm,
    format: arm.split('/')[0] ?? arm,
    cells,
    passed,
    sound: passed.length === cells.length,
    outcome: describeOutcome(cells),
    figures: passed.length === 0 ? null : figuresOf(passed.map((cell) => cell.measurements)),
  }
}

function figuresOf(runs: readonly Measurements[]): ArmFigures {
  const apply = runs.map((run) => run.phases.apply)
  const requests = apply.map(requestsOf).filter((count) => count !== null)
  return {
    wallMs: medianInterval(apply.map((phase) => phase.wallMs)),
    cpuSeconds: median(apply.map((phase) => phase.cpuSeconds)),
    floorBytes: median(apply.map((phase) => phase.memory.floorBytes)),
    addedBytes: median(apply.map((phase) => phase.memory.addedBytes)),
    peakBytes: median(apply.map(peakBytesOf)),
    s3Requests: requests.length < runs.length ? null : median(requests),
    bytesWritten: median(runs.map(bytesWrittenBy)),
    readBeforeMs: medianWall(runs, 'read-before'),
    readAfterMs: medianWall(runs, 'read-after'),
    maintainMs: medianWall(runs, 'maintain'),
    readAfterMaintenanceMs: medianWall(runs, 'read-after-maintenance'),
  }
}

/** Of the repetitions that have the phase: some profiles time reads and maintenance in the first one only. */
function medianWall(runs: readonly Measurements[], name: PhaseName): number | null {
  const phases = runs.map((run) => run.phases[name]).filter((phase) => phase !== null)
  return phases.length === 0 ? null : median(phases.map((phase) => phase.wallMs))
}

/** The peak of a phase: the processes' floor and what the engine added to it. */
export function peakBytesOf(phase: Phase): number {
  return phase.memory.floorBytes + phase.memory.addedBytes
}

/** The phases of a cell that came to their end, in the order of time. */
export function measuredPhases(cell: Cell): readonly { readonly name: PhaseName; readonly phase: Phase }[] {
  if (cell.status === 'skipped') return []
  const phases = 'measurements' in cell ? cell.measurements.phases : cell.completed
  return PHASES.flatMap((name) => {
    const phase = phases[name]
    return phase === null ? [] : [{ name, phase }]
  })
}

/** Null where the object store's requests weren't counted. */
export function requestsOf(phase: Phase): number | null {
  return phase.s3.status === 'measured' ? phase.s3.requests : null
}

/**
 * Bytes that the apply added below the table's root. Both formats keep replaced files until maintenance, so the growth
 * is what was written, without protocol overhead, and it is the same figure on S3 and in a local directory.
 */
function bytesWrittenBy(run: Measurements): number {
  return Math.max(0, run.stored.afterApply.bytes - run.stored.before.bytes)
}
