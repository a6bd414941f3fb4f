import type { Arm, Format } from '../../backends/backend.ts'
import { formatOf } from '../../backends/backend.ts'
import type { Cell, FailurePhase, Results } from '../../reports/schema.ts'
import type { Dataset, Profile, Scenario } from '../scenario.ts'
import type { CellContext } from './cell.ts'
import { runCell } from './cell.ts'
import type { Instruments } from './phase.ts'
import type { PlannedCell } from './plan.ts'
import { planCells } from './plan.ts'
import type { Prepared } from './prepare.ts'
import { prepare } from './prepare.ts'
import type { ResultsFile } from './results-file.ts'
import { placeOf, removePlace, type Surroundings } from './surroundings.ts'

export interface BenchPlan {
  readonly scenarios: readonly Scenario[]
  readonly arms: readonly Arm[]
  readonly profile: Profile
  /** Null: as many as the scenario's profile says. */
  readonly repeat: number | null
  /** Undefined: what the scenario's profile says; null: no cap. */
  readonly memoryCapBytes: number | null | undefined
  readonly seed: number
  readonly keep: boolean
}

/** Told to whoever shows the run. */
export interface BenchEvents {
  readonly onScenario: (scenario: Scenario, cells: number) => void
  readonly onPreparing: (what: string, done: number, total: number) => void
  readonly onPhase: (cell: PlannedCell, phase: FailurePhase) => void
  readonly onCell: (cell: Cell) => void
}

export interface BenchContext {
  readonly plan: BenchPlan
  readonly surroundings: Surroundings
  readonly instruments: Instruments
  readonly file: ResultsFile
  readonly events: BenchEvents
  readonly copyTables: CellContext['copyTables']
  /** Fails when a service that all cells need is gone, so that the run ends instead of failing every cell that is left. */
  readonly checkServices: () => Promise<void>
}

/** Runs every cell that `results` doesn't have yet, and saves after each. Returns the complete results. */
export async function runBench(results: Results, context: BenchContext): Promise<Results> {
  let current = results
  for (const scenario of context.plan.scenarios) current = await runScenario(current, scenario, context)
  const finished = { ...current, run: { ...current.run, finishedAt: new Date().toISOString() } }
  await context.file.save(finished)
  return finished
}

async function runScenario(results: Results, scenario: Scenario, context: BenchContext): Promise<Results> {
  const { plan, events, file } = context
  const planned = planCells(scenario, plan.profile, plan.arms, repeatOf(scenario, plan))
  const missing = planned.filter((cell) => !results.cells.some(({ id }) => id === cell.id))
  if (missing.length === 0) return results
  events.onScenario(scenario, missing.length)
  const { runnable, skipped } = divide(missing, context.surroundings)
  let current = skipped.reduce(withCell, withScenario(results, scenario, plan, null))
  await file.save(current)
  if (runnable.length === 0) return current
  const prepared = await prepareScenario(scenario, runnable, context)
  try {
    current = withScenario(current, scenario, plan, prepared)
    for (const cell of runnable) {
      await context.checkServices()
      current = await runAndRecord(current, cell, prepared, context)
      await file.save(current)
    }
    return current
  } finally {
    if (!plan.keep) await removePrepared(scenario, prepared, context.surroundings)
  }
}

async function runAndRecord(
  results: Results,
  planned: PlannedCell,
  prepared: Prepared,
  context: BenchContext,
): Promise<Results> {
  const { plan, surroundings, instruments, copyTables, events } = context
  const profile = planned.scenario.profiles[plan.profile]
  const { cell, versions } = await runCell(planned, results.cells.length, {
    surroundings,
    instruments,
    prepared,
    phaseDeadlineMs: profile.phaseDeadlineMs,
    memoryCapBytes: capOf(planned.scenario, plan),
    copyTables,
    keep: plan.keep,
    onPhase: (phase) => events.onPhase(planned, phase),
  })
  events.onCell(cell)
  return withVersions(withCell(results, cell), versions)
}

/** Splits off the cells that can't run here, each with the reason. */
function divide(planned: readonly PlannedCell[], surroundings: Surroundings) {
  const reasonOf = (cell: PlannedCell) => unavailable(cell.arm, surroundings)
  const skipped = planned.flatMap((cell, order): readonly Cell[] => {
    const reason = reasonOf(cell)
    if (reason === null) return []
    const { id, scenario, arm, repetition } = cell
    const startedAt = new Date().toISOString()
    return [
      {
        id,
        scenario: scenario.name,
        arm,
        repetition,
        order,
        startedAt,
        settings: {},
        status: 'skipped',
        reason,
      },
    ]
  })
  return { runnable: planned.filter((cell) => reasonOf(cell) === null), skipped }
}

function unavailable(arm: Arm, { storage, sidecar }: Surroundings): string | null {
  if (formatOf(arm) !== 'delta') return null
  if (storage.kind === 's3' && !storage.endpoint.putIfAbsent) {
    return 'the object store ignores If-None-Match, so that concurrent Delta commits would overwrite one another'
  }
  if (sidecar === null) return 'the delta-rs sidecar is not installed'
  return sidecar.unavailable[arm] ?? null
}

async function prepareScenario(
  scenario: Scenario,
  runnable: readonly PlannedCell[],
  { plan, surroundings, events }: BenchContext,
): Promise<Prepared> {
  const profile = scenario.profiles[plan.profile]
  const dataset: Dataset = scenario.dataset(profile.parameters, plan.seed)
  const formats: readonly Format[] = [...new Set(runnable.map((cell) => formatOf(cell.arm)))]
  return prepare(surroundings, scenario.name, dataset, formats, {
    deadlineMs: profile.phaseDeadlineMs,
    signal: surroundings.signal,
    onStep: events.onPreparing,
  })
}

async function removePrepared(
  scenario: Scenario,
  prepared: Prepared,
  surroundings: Surroundings,
): Promise<void> {
  for (const { place } of prepared.tables.values()) await removePlace(surroundings, place)
  await removePlace(surroundings, placeOf(surroundings, `staged/${scenario.name}`))
}

function describe(prepared: Prepared): Results['scenarios'][number]['data'] {
  return {
    rows: prepared.initialRows,
    payloadBytes: prepared.initialPayloadBytes,
    storedBytes: prepared.storedBytes,
    compressionRatio: prepared.initialPayloadBytes / Math.max(1, prepared.initialStagedBytes),
  }
}

function withScenario(
  results: Results,
  scenario: Scenario,
  plan: BenchPlan,
  prepared: Prepared | null,
): Results {
  const { parameters } = scenario.profiles[plan.profile]
  const entry = {
    name: scenario.name,
    question: scenario.question,
    parameters: { ...parameters },
    memoryCapBytes: capOf(scenario, plan),
    repeat: repeatOf(scenario, plan),
    data: prepared === null ? null : describe(prepared),
  }
  const others = results.scenarios.filter(({ name }) => name !== scenario.name)
  return { ...results, scenarios: [...others, entry] }
}

function repeatOf(scenario: Scenario, plan: BenchPlan): number {
  return plan.repeat ?? scenario.profiles[plan.profile].repeat
}

function capOf(scenario: Scenario, plan: BenchPlan): number | null {
  return plan.memoryCapBytes === undefined
    ? scenario.profiles[plan.profile].memoryCapBytes
    : plan.memoryCapBytes
}

function withCell(results: Results, cell: Cell): Results {
  return { ...results, cells: [...results.cells, cell] }
}

function withVersions(results: Results, found: Readonly<Record<string, string>>): Results {
  const known = results.environment.versions
  const versions = { ...known }
  for (const name of ['duckdb', 'ducklake', 'deltalake', 'deltalite', 'python'] as const) {
    versions[name] = found[name] ?? known[name]
  }
  return { ...results, environment: { ...results.environment, versions } }
}
