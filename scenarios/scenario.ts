import type { Arm, BackendEnvironment, Format, StagedBatch } from '../backends/backend.ts'
import type { TableSpec } from '../backends/schema.ts'
import type { Network } from '../platform/services/network/network.ts'
import type { Finding, Metric, Oracle, Phase, Point, Scalar, Series } from '../reports/schema.ts'
import type { CheckedEvent, Expectation, LoaderDone, LoaderRequest } from './processes/protocol.ts'
import type { Child } from './runner/child.ts'
import type { Place, Surroundings } from './runner/surroundings.ts'

/** How large a scenario is: `smoke` is for tests, `full` is as large as the pain that it reproduces. */
export const PROFILES = ['smoke', 'quick', 'standard', 'full'] as const
export type Profile = (typeof PROFILES)[number]

/**
 * Some rows of a dataset as a SELECT of the table's columns, in the table's order. A slice is small enough to be held
 * at once: it becomes one row group where rows are wide, since readers hold whole row groups.
 */
export interface Slice {
  readonly sql: string
  readonly rows: number
}

/** The slices of one staged Parquet file. */
export type PartPlan = readonly Slice[]
/** The parts of one batch, which is committed as one. */
export type BatchPlan = readonly PartPlan[]

export interface Probe {
  readonly key: number
  /** The one row that has the key after the batches, or null where none has. */
  readonly row: Slice | null
}

/** A query over one relation: what stands before and after its name. */
export interface RelationQuery {
  readonly beforeRelation: string
  readonly afterRelation: string
}

/** Data of one size and seed. All of it is a function of row numbers, so nothing has to be kept to check it. */
export interface Dataset {
  readonly table: TableSpec
  /** Appended to make the table that cells start from. */
  readonly initial: readonly BatchPlan[]
  /** What a cell applies, and what is timed. */
  readonly batches: readonly BatchPlan[]
  /** All rows after the batches, from the generator alone: the oracle's independent expectation. */
  readonly expected: readonly Slice[]
  /** Keys that are looked up one by one: untouched, updated, new, and one that doesn't exist. */
  readonly probes: readonly Probe[]
  /** The reading query that is timed. */
  readonly readQuery: RelationQuery
}

/** Numbers that fix the size of a scenario; they are recorded with the result. */
export type Parameters = Readonly<Record<string, number>>

/** A thing that a scenario varies. A cell has one value of each axis. */
export interface AxisSpec {
  readonly name: string
  /** `bytes`, `ms`, `rows`, or null for names and plain counts. */
  readonly unit: string | null
  readonly description: string
  /** Whether a value that no profile has makes sense, as with `--axis NAME=VALUE`. */
  readonly accepts: (value: Scalar) => boolean
}

/** The axis that every scenario understands without a word of its own: what S3 answers are delayed by, in milliseconds. */
export const S3_LATENCY: AxisSpec = {
  name: 's3LatencyMs',
  unit: 'ms',
  description: 'what the network adds to every answer of the object store',
  accepts: (value) => typeof value === 'number' && value >= 0 && value <= 5_000,
}

export interface ProfileSpec {
  /** The values of each axis; cells are made for every combination that the scenario doesn't exclude. */
  readonly axes: Readonly<Record<string, readonly Scalar[]>>
  readonly parameters: Parameters
  /** Repetitions of each cell unless `--repeat` says otherwise. */
  readonly repeat: number
  /** The cap of the loader's pod unless `--memory-cap` says otherwise, or null for none. */
  readonly memoryCapBytes: number | null
  /** How long a child may go without a word before it counts as hung. */
  readonly phaseDeadlineMs: number
}

/** What something needs, roughly: enough to plan a night, not to promise one. */
export interface Estimate {
  readonly wallMs: number
  /** At once, over all processes. */
  readonly memoryBytes: number
  readonly diskBytes: number
}

export interface Scenario {
  readonly name: string
  /** One sentence that the figures answer. */
  readonly question: string
  /** What a cell does. */
  readonly description: string
  /** What is measured beyond the usual of every phase (time, CPU, memory, S3 requests, Postgres calls, spilled bytes). */
  readonly measures: string
  readonly axes: readonly AxisSpec[]
  readonly profiles: Readonly<Record<Profile, ProfileSpec>>
  /** Whether its cells break the way to the servers, and so must have a proxy on it. */
  readonly faults?: boolean
  /** Whether it runs only where it is named, since it compares no arms. */
  readonly onDemand?: boolean
  /** Why a combination makes no sense, or isn't worth its time in this profile; null where it is a cell. */
  readonly excludes?: (arm: Arm, point: Point, profile: Profile) => string | null
  /** Points with the same name here share what is made for them, and `estimate` tells of it for each. Without it no point does. */
  readonly sharedBy?: (point: Point) => string
  /** Of what cells of a point share, and of one cell. */
  readonly estimate: (
    point: Point,
    parameters: Parameters,
    arm: Arm,
  ) => { readonly shared: Estimate; readonly cell: Estimate }
  /**
   * Runs one cell. Phases, settings and versions are recorded by the lab; the rest is returned.
   * @throws CellFailed for what ended it early, with what the lab has recorded by then as its result
   */
  readonly run: (cell: PlannedCell, lab: Lab) => Promise<Measured>
}

/** One arm at one point of a scenario, once, in fresh processes. */
export interface PlannedCell {
  readonly id: string
  readonly scenario: Scenario
  readonly arm: Arm
  readonly point: Point
  /** From 0. */
  readonly repetition: number
  /** The second run of the same cell, to tell noise from effects. */
  readonly control: boolean
}

export interface Measured {
  readonly metrics: Readonly<Record<string, Metric>>
  readonly series: Readonly<Record<string, Series>>
  /** What is wrong with the data: any makes the cell `wrong-data`. */
  readonly findings: readonly Finding[]
  /** What a fresh reader found in the end; null only where the scenario has no table. */
  readonly oracle: Oracle | null
}

/** A dataset as it was staged and stored, for cells to start from. */
export interface PreparedDataset {
  readonly dataset: Dataset
  /** The staged batches that cells apply. */
  readonly batches: readonly StagedBatch[]
  readonly expectation: Expectation
  readonly initialRows: number
  readonly initialPayloadBytes: number
  readonly initialStagedBytes: number
}

/** A table that cells start from, compacted. */
export interface PreparedTable {
  readonly place: Place
  readonly storedBytes: number
}

/** A process in a pod that has said that it is ready: what it did so far is its floor. */
export interface Ready {
  readonly child: Child
  /** Itself and its own children, by role. */
  readonly processes: Readonly<Record<string, number>>
}

export interface LoaderOptions {
  readonly arm: Arm
  readonly place: Place
  readonly table: TableSpec
  readonly work: LoaderRequest['work']
  /** Beside those that `--set` gave. */
  readonly settings?: Readonly<Record<string, unknown>>
  /** Undefined: the cell's own cap; null: none. */
  readonly memoryCapBytes?: number | null
}

export interface ReadOptions {
  readonly arm: Arm
  readonly place: Place
  readonly table: TableSpec
  readonly query: RelationQuery
  /** Null: nothing is checked. */
  readonly expectation: Expectation | null
  /** Further tables of the same columns, which are read and checked together with it as if they were one. */
  readonly unionWith?: readonly string[]
}

/** What a cell works with. Everything that it opens is closed, and every place that it asked for removed, when the cell ends. */
export interface Lab {
  readonly surroundings: Surroundings
  readonly parameters: Parameters
  readonly seed: number
  readonly profile: Profile
  /** The cap of a loader's pod, or null. */
  readonly memoryCapBytes: number | null
  /** How long a child may go without a word. */
  readonly deadlineMs: number
  readonly signal: AbortSignal
  /** The way to the servers, with the latency of the cell; its faults are healed when the cell ends. */
  readonly network: Network

  /** Made on first use, handed to later cells of the scenario too. Making it is neither measured nor under the cell's latency. */
  shared<T>(key: string, make: () => Promise<T>): Promise<T>
  /** Stages a dataset, once for all cells that give the same key. */
  dataset(key: string, make: () => Dataset): Promise<PreparedDataset>
  /** The table of a dataset in a format, once for all cells that give the same key. */
  table(key: string, format: Format): Promise<PreparedTable>
  /** A place of the cell's own, through the cell's network; the same name gives the same place. */
  place(name?: string): Place
  /** A copy of a prepared table in a place of the cell's own. */
  copyOf(table: PreparedTable, format: Format, name?: string): Promise<Place>
  /** How the processes of the cell see a place. */
  environment(place: Place, memoryBudgetBytes?: number | null): BackendEnvironment

  /** Says what the cell is doing, for the display, and for the record of where it failed. */
  enter(phase: string): void
  /** Starts a process of the cell in a pod of its own. */
  start(
    entry: 'stage' | 'loader' | 'reader' | 'writer',
    request: object,
    memoryCapBytes?: number | null,
  ): Promise<Child>
  /** Waits until a process that has an arm's engine says that it is ready; its settings and versions are recorded. */
  ready(child: Child): Promise<Ready>
  /** Starts an arm's loader, and waits until it is ready to work; its settings and versions are recorded. */
  loader(options: LoaderOptions): Promise<Ready>
  /** Does what is measured otherwise than as a phase, while no other run measures anything. */
  alone<Result>(work: () => Promise<Result>): Promise<Result>
  /**
   * A measured phase: `work` tells children to go and waits for them, and what they, the object store, Postgres and the disk
   * needed meanwhile is recorded under the name. Several processes are summed. Without `wallMs` in its result the wall is
   * the orchestrator's own clock.
   */
  measure<Result>(
    phase: string,
    processes: readonly Ready[],
    work: () => Promise<Result & { readonly wallMs?: number }>,
  ): Promise<{ readonly phase: Phase; readonly result: Result }>
  /** One loader from start to end, as a measured phase. */
  load(phase: string, options: LoaderOptions): Promise<{ readonly phase: Phase; readonly done: LoaderDone }>
  /** Times a query in a fresh process, as a measured phase, and has the content checked there where an expectation is given. */
  read(
    phase: string,
    options: ReadOptions,
  ): Promise<{ readonly phase: Phase; readonly checked: CheckedEvent | null }>
  /** Kept with the cell even if it ends early. */
  record(name: string, what: Metric | Series): void
}

/** A parameter that the scenario's own profiles always have. */
export function parameter(parameters: Parameters, name: string): number {
  const value = parameters[name]
  if (value === undefined) throw new RangeError(`the scenario has no parameter "${name}"`)
  return value
}

/** The value of a numeric axis. */
export function numberAt(point: Point, axis: string): number {
  const value = point[axis]
  if (typeof value !== 'number') throw new RangeError(`the axis "${axis}" has no number here: ${value}`)
  return value
}

/** The value of an axis of names. */
export function nameAt(point: Point, axis: string): string {
  const value = point[axis]
  if (typeof value !== 'string') throw new RangeError(`the axis "${axis}" has no name here: ${value}`)
  return value
}
