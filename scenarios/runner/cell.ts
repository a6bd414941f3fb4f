import { LakeduelError, messageOf } from '../../platform/errors.ts'
import type { Cell } from '../../reports/schema.ts'
import type { Measured, PlannedCell } from '../scenario.ts'
import type { Failure } from './failure.ts'
import { CellFailed } from './failure.ts'
import type { CellLab } from './lab.ts'

export interface CellOutcome {
  readonly cell: Cell
  /** Of the engines, as they told them. */
  readonly versions: Readonly<Record<string, string>>
}

/**
 * Runs one cell in its lab. Whatever fails is the cell's result.
 * @param order its position in the run, from 0
 * @throws the reason when the run was interrupted, which is no result of the cell
 */
export async function runCell(planned: PlannedCell, order: number, lab: CellLab): Promise<CellOutcome> {
  const startedAt = new Date().toISOString()
  const ended = await planned.scenario.run(planned, lab).then(
    (measured) => finished(measured, lab),
    (error: unknown) => {
      lab.signal.throwIfAborted()
      return failed(error, lab)
    },
  )
  const { id, scenario, arm, point, repetition, control } = planned
  const identity = {
    id,
    scenario: scenario.name,
    arm,
    point: { ...point },
    repetition,
    control,
    order,
    startedAt,
  }
  return { cell: { ...identity, settings: lab.settings, ...ended }, versions: lab.versions }
}

function finished(measured: Measured, lab: CellLab) {
  const whole = {
    phases: lab.phases,
    metrics: { ...lab.metrics, ...measured.metrics },
    series: { ...lab.series, ...measured.series },
    oracle: measured.oracle,
  }
  return measured.findings.length === 0
    ? { status: 'ok' as const, ...whole }
    : { status: 'wrong-data' as const, ...whole, findings: [...measured.findings] }
}

function failed(error: unknown, lab: CellLab) {
  const early = { phase: lab.doing, completed: lab.phases, metrics: lab.metrics, series: lab.series }
  return { ...early, ...failureOf(error) }
}

function failureOf(error: unknown): Failure {
  if (error instanceof CellFailed) return error.failure
  const code = error instanceof LakeduelError ? error.code : 'HARNESS_FAILED'
  return { status: 'engine-error', code, message: messageOf(error) }
}
