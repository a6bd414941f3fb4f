import type { TableSpec } from '../backends/schema.ts'
import type { PhaseName } from '../reports/schema.ts'

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

/** The data of one scenario at one size and seed. All of it is a function of row numbers, so nothing has to be kept to check it. */
export interface Dataset {
  readonly table: TableSpec
  /** Appended to make the table that every cell starts from. */
  readonly initial: readonly BatchPlan[]
  /** What a cell upserts, and what is timed. */
  readonly batches: readonly BatchPlan[]
  /** All rows after the batches, from the generator alone: the oracle's independent expectation. */
  readonly expected: readonly Slice[]
  /** Keys that are looked up one by one: untouched, updated, new, and one that doesn't exist. */
  readonly probes: readonly Probe[]
  /** The reading query that is timed: what stands before and after the relation. */
  readonly readQuery: { readonly beforeRelation: string; readonly afterRelation: string }
}

/** Numbers that fix the size of a scenario; they are recorded with the result. */
export type Parameters = Readonly<Record<string, number>>

export interface ProfileSpec {
  readonly parameters: Parameters
  /** Repetitions of each cell unless `--repeat` says otherwise. */
  readonly repeat: number
  /** Phases that only the first repetition of an arm has, where all of them would take too long. */
  readonly firstRepetitionOnly: readonly PhaseName[]
  /** The cap of the loader's pod unless `--memory-cap` says otherwise, or null for none. */
  readonly memoryCapBytes: number | null
  /** How long one phase of a cell may take before it counts as a hang. */
  readonly phaseDeadlineMs: number
  /** Roughly what the staged parts, the prepared tables and one cell's copy need at most. */
  readonly diskBytes: number
}

export interface Scenario {
  readonly name: string
  /** One sentence that the figures answer. */
  readonly question: string
  /** What a cell does, and what is measured beyond the usual. */
  readonly description: string
  readonly phases: readonly PhaseName[]
  readonly profiles: Readonly<Record<Profile, ProfileSpec>>
  dataset(parameters: Parameters, seed: number): Dataset
}

/** A parameter that the scenario's own profiles always have. */
export function parameter(parameters: Parameters, name: string): number {
  const value = parameters[name]
  if (value === undefined) throw new RangeError(`the scenario has no parameter "${name}"`)
  return value
}
