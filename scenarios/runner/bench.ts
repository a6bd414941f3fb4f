import type { Arm } from '../../backends/backend.ts'
import { formatOf } from '../../backends/backend.ts'
import type { NetworkProfile } from '../../platform/services/network/network.ts'
import type { Cell, LogRecord, Results, Scalar } from '../../reports/schema.ts'
import type { PlannedCell, Profile, Scenario } from '../scenario.ts'
import { runCell } from './cell.ts'
import { measureFloors } from './floors.ts'
import { CellLab, type LabOptions } from './lab.ts'
import type { Networks } from './networks.ts'
import type { Alone, Instruments } from './phase.ts'
import { axisValues, planCells } from './plan.ts'
import type { ResultsFile } from './results-file.ts'
import { type OnPreparing, Shared } from './shared.ts'
import type { Surroundings } from './surroundings.ts'

export interface BenchPlan {
  readonly scenarios: readonly Scenario[]
  readonly arms: readonly Arm[]
  readonly profile: Profile
  /** Values that replace those of the profile, by axis. */
  readonly axes: Readonly<Record<string, readonly Scalar[]>>
  /** Null: as many as the scenario's profile says. */
  readonly repeat: number | null
  /** Undefined: what the scenario's profile says; null: no cap. */
  readonly memoryCapBytes: number | null | undefined
  /** Whether the first arm of each point runs twice in each repetition. */
  readonly control: boolean
  readonly network: NetworkProfile
  readonly seed: number
  readonly keep: boolean
}

/** Told to whoever shows the run. */
export interface BenchEvents {
  readonly onScenario: (scenario: Scenario, cells: number) => void
  readonly onPreparing: OnPreparing
  readonly onPhase: (cell: PlannedCell, phase: string) => void
  readonly onCell: (cell: Cell) => void
}

export interface BenchContext {
  readonly plan: BenchPlan
  readonly surroundings: Surroundings
  readonly instruments: Instruments
  readonly networks: Networks
  readonly file: ResultsFile
  readonly events: BenchEvents
  readonly copyTables: LabOptions['copyTables']
  /** Fails when a service that all cells need is gone, so that the run ends instead of failing every cell that is left. */
  readonly checkServices: () => Promise<void>
  /** Asked after each round of all cells, whether there is another, which goes on with what was made. Without it there is one. */
  readonly anotherRound?: () => Promise<boolean>
  /** Does what is measured while no other run measures. Without it there is no other. */
  readonly alone?: Alone
}

/** The cells of a plan, scenario by scenario. */
export function plannedCells(plan: BenchPlan): readonly PlannedCell[] {
  return plan.scenarios.flatMap((scenario) =>
    planCells(scenario, { ...plan, repeat: repeatOf(scenario, plan) }),
  )
}

/** Runs every cell that `results` doesn't have yet, and saves each. Returns the complete results. */
export async function runBench(results: Results, context: BenchContext): Promise<Results> {
  const run = new Run(results, context)
  await context.file.begin(results)
  await run.floors()
  if (context.anotherRound === undefined) {
    for (const scenario of context.plan.scenarios) {
      await using shared = run.share(scenario)
      await run.scenario(scenario, shared, 0)
    }
  } else {
    await runRounds(run, context.plan.scenarios, context.anotherRound)
  }
  return await run.end()
}

async function runRounds(
  run: Run,
  scenarios: readonly Scenario[],
  another: () => Promise<boolean>,
): Promise<void> {
  await using made = new AsyncDisposableStack()
  const subjects = scenarios.map((scenario) => ({ scenario, shared: made.use(run.share(scenario)) }))
  let round = 0
  do {
    for (const { scenario, shared } of subjects) await run.scenario(scenario, shared, round)
    round += 1
  } while (await another())
}

class Run {
  readonly #context: BenchContext
  #results: Results

  constructor(results: Results, context: BenchContext) {
    this.#results = results
    this.#context = context
  }

  /** Measured in the run itself, since they are subtracted from its figures. */
  async floors(): Promise<void> {
    const { plan, surroundings, events } = this.#context
    const cells = plannedCells(plan)
    const missing = cells.some(({ id }) => !this.#results.cells.some((cell) => cell.id === id))
    if (!missing || Object.keys(this.#results.run.floors).length > 0) return
    events.onPreparing('measuring what idle processes hold', 0, 1)
    const arms = [...new Set(cells.map(({ arm }) => arm))].filter(
      (arm) => unavailable(arm, surroundings) === null,
    )
    const floors = await measureFloors(surroundings, arms)
    await this.#record({ record: 'floors', floors })
    this.#results = { ...this.#results, run: { ...this.#results.run, floors } }
  }

  /** @param round from 0: its repetitions follow those of the rounds before */
  async scenario(scenario: Scenario, shared: Shared, round: number): Promise<void> {
    const { plan, events, surroundings } = this.#context
    const repeat = repeatOf(scenario, plan)
    const planned = planCells(scenario, { ...plan, repeat, firstRepetition: round * repeat })
    const missing = planned.filter((cell) => !this.#results.cells.some(({ id }) => id === cell.id))
    if (missing.length === 0) return
    events.onScenario(scenario, missing.length)
    await this.#describe(scenario, shared)
    for (const cell of missing) await this.#cell(cell, shared)
    surroundings.signal.throwIfAborted()
  }

  /** What the cells of a scenario share, which is removed when it is disposed of, unless it is to be kept. */
  share(scenario: Scenario): Shared {
    const { plan, surroundings, events } = this.#context
    const { phaseDeadlineMs } = scenario.profiles[plan.profile]
    const waiting = { deadlineMs: phaseDeadlineMs, signal: surroundings.signal }
    return new Shared(surroundings, scenario.name, { waiting, keep: plan.keep }, events.onPreparing)
  }

  async end(): Promise<Results> {
    const finishedAt = new Date().toISOString()
    await this.#context.file.append({ record: 'end', finishedAt })
    this.#results = { ...this.#results, run: { ...this.#results.run, finishedAt } }
    await this.#context.file.save(this.#results)
    return this.#results
  }

  async #cell(planned: PlannedCell, shared: Shared): Promise<void> {
    const reason = unavailable(planned.arm, this.#context.surroundings)
    if (reason !== null) return await this.#keep(skipped(planned, this.#results.cells.length, reason))
    await this.#checkServices()
    const known = JSON.stringify(shared.data)
    await using lab = await this.#lab(planned, shared)
    const { cell, versions } = await runCell(planned, this.#results.cells.length, lab)
    // What a service that is gone has done to a cell is no result of its arm.
    if (cell.status === 'engine-error' || cell.status === 'hang') await this.#checkServices()
    await this.#versions(versions)
    if (JSON.stringify(shared.data) !== known) await this.#describe(planned.scenario, shared)
    await this.#keep(cell)
  }

  async #checkServices(): Promise<void> {
    await this.#context.networks.check()
    await this.#context.checkServices()
  }

  async #lab(planned: PlannedCell, shared: Shared): Promise<CellLab> {
    const { plan, surroundings, instruments, networks, copyTables, events } = this.#context
    const network = await networks.of(planned)
    const { parameters, phaseDeadlineMs } = planned.scenario.profiles[plan.profile]
    return new CellLab({
      cellId: planned.id,
      surroundings: { ...surroundings, storage: network.storage, postgres: network.postgres },
      direct: surroundings,
      network,
      instruments,
      shared,
      parameters,
      seed: plan.seed,
      profile: plan.profile,
      memoryCapBytes: capOf(planned.scenario, plan),
      deadlineMs: phaseDeadlineMs,
      copyTables,
      keep: plan.keep,
      alone: this.#context.alone ?? ((work) => work()),
      onPhase: (phase) => events.onPhase(planned, phase),
    })
  }

  async #describe(scenario: Scenario, shared: Shared): Promise<void> {
    const { plan } = this.#context
    const values = axisValues(scenario, plan)
    const entry: Results['scenarios'][number] = {
      name: scenario.name,
      question: scenario.question,
      axes: scenario.axes.map(({ name, unit, description }) => ({
        name,
        unit,
        description,
        values: [...(values[name] ?? [])],
      })),
      parameters: { ...scenario.profiles[plan.profile].parameters },
      memoryCapBytes: capOf(scenario, plan),
      repeat: repeatOf(scenario, plan),
      arms: [...plan.arms],
      data: { ...shared.data },
    }
    await this.#record({ record: 'scenario', scenario: entry })
    const others = this.#results.scenarios.filter(({ name }) => name !== scenario.name)
    this.#results = { ...this.#results, scenarios: [...others, entry] }
  }

  async #versions(found: Readonly<Record<string, string>>): Promise<void> {
    const known = this.#results.environment.versions
    if (Object.entries(found).every(([name, version]) => known[name] === version)) return
    const versions = { ...known, ...found }
    await this.#record({ record: 'versions', versions })
    this.#results = { ...this.#results, environment: { ...this.#results.environment, versions } }
  }

  async #keep(cell: Cell): Promise<void> {
    this.#context.events.onCell(cell)
    await this.#record({ record: 'cell', cell })
    this.#results = { ...this.#results, cells: [...this.#results.cells, cell] }
  }

  async #record(record: LogRecord): Promise<void> {
    await this.#context.file.append(record)
  }
}

function skipped(planned: PlannedCell, order: number, reason: string): Cell {
  const { id, scenario, arm, point, repetition, control } = planned
  const startedAt = new Date().toISOString()
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
  return { ...identity, settings: {}, status: 'skipped', reason }
}

function unavailable(arm: Arm, { storage, sidecar }: Surroundings): string | null {
  if (formatOf(arm) !== 'delta') return null
  if (storage.kind === 's3' && !storage.endpoint.putIfAbsent) {
    return 'the object store ignores If-None-Match, so that concurrent Delta commits would overwrite one another'
  }
  if (sidecar === null) return 'the delta-rs sidecar is not installed'
  return sidecar.unavailable[arm] ?? null
}

function repeatOf(scenario: Scenario, plan: BenchPlan): number {
  return plan.repeat ?? scenario.profiles[plan.profile].repeat
}

function capOf(scenario: Scenario, plan: BenchPlan): number | null {
  return plan.memoryCapBytes === undefined
    ? scenario.profiles[plan.profile].memoryCapBytes
    : plan.memoryCapBytes
}
