import type { BackendEnvironment, Format } from '../../backends/backend.ts'
import { formatOf } from '../../backends/backend.ts'
import { LakeduelError, messageOf } from '../../platform/errors.ts'
import { createPod } from '../../platform/pods/mechanism.ts'
import { treeUsage } from '../../platform/storage/tree.ts'
import type {
  Cell,
  CompletedPhases,
  FailurePhase,
  Measurements,
  Phase,
  PhaseName,
} from '../../reports/schema.ts'
import type { CheckedEvent, LoaderDone, LoaderRequest } from '../processes/protocol.ts'
import {
  checkedEventSchema,
  loaderDoneSchema,
  readerDoneSchema,
  readyEventSchema,
} from '../processes/protocol.ts'
import { Child } from './child.ts'
import type { Failure } from './failure.ts'
import { CellFailed } from './failure.ts'
import type { Instruments } from './phase.ts'
import { measurePhase } from './phase.ts'
import type { PlannedCell } from './plan.ts'
import type { Prepared } from './prepare.ts'
import { environmentOf, type Place, placeOf, removePlace, type Surroundings } from './surroundings.ts'

export interface CellContext {
  readonly surroundings: Surroundings
  readonly instruments: Instruments
  readonly prepared: Prepared
  /** How long one phase may take before it counts as a hang. */
  readonly phaseDeadlineMs: number
  /** The cap of the loader's pod, or null. */
  readonly memoryCapBytes: number | null
  /** Copies all tables of a format from one place to another. */
  readonly copyTables: (format: Format, from: BackendEnvironment, to: BackendEnvironment) => Promise<void>
  /** Leaves the cell's tables where they are. */
  readonly keep: boolean
  readonly onPhase: (phase: FailurePhase) => void
}

export interface CellOutcome {
  readonly cell: Cell
  /** Of the engines, as they told them. */
  readonly versions: Readonly<Record<string, string>>
}

/** Runs one cell on its own copy of the prepared table, and removes the copy. Whatever fails is the cell's result. */
export async function runCell(
  planned: PlannedCell,
  order: number,
  context: CellContext,
): Promise<CellOutcome> {
  const place = placeOf(context.surroundings, `cells/${planned.id}`)
  const running = new RunningCell(planned, order, context, place)
  try {
    return await running.run()
  } finally {
    if (!context.keep) await removePlace(context.surroundings, place)
  }
}

const NOTHING_COMPLETED: CompletedPhases = {
  'read-before': null,
  apply: null,
  'read-after': null,
  maintain: null,
  'read-after-maintenance': null,
}

/** A cell while it runs: in which phase it is, and what it has measured so far. */
class RunningCell {
  readonly #planned: PlannedCell
  readonly #context: CellContext
  readonly #place: Place
  readonly #environment: BackendEnvironment
  readonly #identity: { readonly order: number; readonly startedAt: string }
  #phase: FailurePhase = 'prepare'
  #completed: CompletedPhases = NOTHING_COMPLETED
  #settings: Record<string, unknown> = {}
  #versions: Record<string, string> = {}

  constructor(planned: PlannedCell, order: number, context: CellContext, place: Place) {
    this.#planned = planned
    this.#context = context
    this.#place = place
    this.#environment = environmentOf(context.surroundings, place, context.memoryCapBytes)
    this.#identity = { order, startedAt: new Date().toISOString() }
  }

  async run(): Promise<CellOutcome> {
    const cell = await this.#toTheEnd().catch((error: unknown) => this.#failed(error))
    return { cell, versions: this.#versions }
  }

  async #toTheEnd(): Promise<Cell> {
    const { surroundings, prepared, copyTables } = this.#context
    const format = formatOf(this.#planned.arm)
    const source = prepared.tables.get(format)
    if (source === undefined) throw new Error(`no ${format} table was prepared`)
    if (source.failure !== null) throw source.failure
    this.#enter('prepare')
    await copyTables(format, environmentOf(surroundings, source.place, null), this.#environment)
    const before = await treeUsage(this.#place.storage)
    await this.#read('read-before', false)
    const { batches } = prepared
    const work = { kind: 'apply' as const, batches, mode: 'upsert' as const, runId: surroundings.runId }
    const { phase: apply, done } = await this.#load('apply', work)
    const afterApply = await treeUsage(this.#place.storage)
    const checkedAfterApply = await this.#read('read-after', true)
    const maintained = this.#has('maintain') ? await this.#load('maintain', { kind: 'maintain' }) : null
    const afterMaintenance = maintained === null ? null : await treeUsage(this.#place.storage)
    const checkedAtEnd = await this.#read('read-after-maintenance', true)
    return this.#finished(
      {
        phases: { ...this.#completed, apply },
        applied: this.#applied(done),
        stored: { before, afterApply, afterMaintenance },
      },
      [checkedAfterApply, checkedAtEnd],
    )
  }

  #has(phase: PhaseName): boolean {
    return this.#planned.phases.includes(phase)
  }

  #enter(phase: FailurePhase): void {
    this.#phase = phase
    this.#context.onPhase(phase)
  }

  /** Times the reading query in a fresh process, and has the content checked there when `check` says so. */
  async #read(name: PhaseName, check: boolean): Promise<CheckedEvent | null> {
    if (!this.#has(name)) return null
    this.#enter(name)
    const { prepared, instruments } = this.#context
    await using pod = await createPod({ name: 'reader', memoryCapBytes: null })
    await using child = new Child(pod, this.#context.surroundings.entries.reader, {
      arm: this.#planned.arm,
      environment: environmentOf(this.#context.surroundings, this.#place, null),
      table: prepared.dataset.table,
      query: prepared.dataset.readQuery,
      expectation: check ? prepared.expectation : null,
    })
    const { processes } = await child.event(readyEventSchema, this.#waiting)
    const { phase } = await measurePhase(child, processes, instruments, readerDoneSchema, this.#waiting)
    this.#completed = { ...this.#completed, [name]: phase }
    if (!check) {
      await child.exit()
      return null
    }
    this.#enter('oracle')
    const checked = await child.event(checkedEventSchema, this.#waiting)
    await child.exit()
    return checked
  }

  /** Runs the arm in a fresh process in a pod of the cell's size. */
  async #load(name: PhaseName, work: LoaderRequest['work']): Promise<{ phase: Phase; done: LoaderDone }> {
    this.#enter(name)
    const { surroundings, prepared, instruments, memoryCapBytes } = this.#context
    await using pod = await createPod({ name: 'loader', memoryCapBytes })
    await using child = new Child(pod, surroundings.entries.loader, {
      arm: this.#planned.arm,
      environment: this.#environment,
      settings: surroundings.settings[this.#planned.arm] ?? {},
      table: prepared.dataset.table,
      work,
    })
    const ready = await child.event(readyEventSchema, this.#waiting)
    this.#settings = ready.settings
    this.#versions = ready.versions
    const measured = await measurePhase(child, ready.processes, instruments, loaderDoneSchema, this.#waiting)
    this.#completed = { ...this.#completed, [name]: measured.phase }
    this.#enter('close')
    await child.exit()
    return measured
  }

  get #waiting() {
    return { deadlineMs: this.#context.phaseDeadlineMs, signal: this.#context.surroundings.signal }
  }

  #applied(done: LoaderDone): Measurements['applied'] {
    const parts = this.#context.prepared.batches.flatMap((batch) => batch.parts)
    return {
      rows: done.rowsRead,
      payloadBytes: parts.reduce((sum, part) => sum + part.payloadBytes, 0),
      batches: this.#context.prepared.batches.length,
      commits: done.commits,
      attempts: done.attempts,
      engine: done.engine,
    }
  }

  /** What every cell has, however it ended. */
  get #common() {
    const { id, scenario, arm, repetition } = this.#planned
    return { id, scenario: scenario.name, arm, repetition, ...this.#identity, settings: this.#settings }
  }

  #finished(measurements: Measurements, readings: readonly (CheckedEvent | null)[]): Cell {
    const checked = readings.filter((reading) => reading !== null)
    const findings = checked.flatMap((reading) => reading.findings)
    const last = checked.at(-1)
    if (last === undefined)
      throw new Error(`the scenario ${this.#planned.scenario.name} has no phase that checks the table`)
    if (findings.length > 0) return { ...this.#common, status: 'wrong', measurements, findings }
    const { rows, distinctKeys, contentHash, checks } = last
    return {
      ...this.#common,
      status: 'passed',
      measurements,
      oracle: { rows, distinctKeys, contentHash, checks },
    }
  }

  /** @throws the reason when the run was interrupted, which is no result of the cell */
  #failed(error: unknown): Cell {
    this.#context.surroundings.signal.throwIfAborted()
    const fields = { ...this.#common, phase: this.#phase, completed: this.#completed }
    return { ...fields, ...failureOf(error) }
  }
}

function failureOf(error: unknown): Failure {
  if (error instanceof CellFailed) return error.failure
  const code = error instanceof LakeduelError ? error.code : 'HARNESS_FAILED'
  return { status: 'failed', code, message: messageOf(error) }
}
