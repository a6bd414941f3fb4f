/**
 * Lets many writers of one table commit without getting into each other's way. Words:
 * - a **writer** is a process with the table open, which applies one batch at a time;
 * - an **attempt** is one call of the engine; one that finds that another writer was first is a **conflict**, and all that it
 *   wrote is thrown away;
 * - a **lock** is an advisory lock of Postgres, which a writer holds as long as its connection lives;
 * - a **request** is a staged batch that waits in Postgres; the **leader** is the writer that has the table's lock, and
 *   commits the requests of all others together with its own.
 *
 * The kinds, which all writers of a table have to agree on:
 * - `none`: writers start at once, and those that conflict start again after a jittered wait;
 * - `lock`: one at a time, or one in each partition where the format allows for it;
 * - `group`: as many batches in each commit as wait for it. What a commit costs is then shared, which pays where it costs
 *   more than the rows: on DuckLake whatever the partitions, and on Delta Lake in one partition.
 *
 * No kind is what makes a batch count once: that is its tag, which is committed with its rows by compare-and-set. So a lock
 * that is lost, a leader that was thought dead, and a writer that knows of no lock cost an attempt, and never a row.
 *
 * Locks and notifications belong to a connection, so Postgres has to be reached without a pooler that shares connections
 * between transactions, and as the same role by all writers, since only that sees who holds a lock.
 */
import type { ApplyMode, Capabilities, CommitTag, LakeTable, StagedBatch } from '../../backends/backend.ts'
import type { ColumnSpec } from '../../backends/schema.ts'
import type { PostgresEndpoint } from '../../platform/endpoints.ts'
import type { ReplayPolicy } from './replay.ts'

export const COORDINATIONS = ['none', 'lock', 'group'] as const
export type Coordination = (typeof COORDINATIONS)[number]

/** An open table, and what its writers have to know of it. */
export interface SharedTable {
  readonly handle: LakeTable
  /** What all writers of the table, and of no other, call it: where it lies. */
  readonly uri: string
  readonly concurrentUpserts: Capabilities['concurrentUpserts']
}

/** A batch as one of several writers applies it. A writer brings a batch of a run when the one before it is committed. */
export interface SharedBatch {
  readonly batch: StagedBatch
  readonly mode: ApplyMode
  readonly tag: CommitTag
  /** The columns that the table must have for it; an empty list where they are known to be there. */
  readonly columns: readonly ColumnSpec[]
  /** Every partition that it touches, or null for all. */
  readonly partitions: readonly string[] | null
}

export interface SharedResult {
  /** The batch was committed before, and this call changed nothing. */
  readonly alreadyApplied: boolean
  /** The Delta version or DuckLake snapshot after it. */
  readonly version: string
  /** Batches that were committed with it, itself included. */
  readonly batchesTogether: number
}

/** One call of the engine, whoever's batches it is for. */
export interface Attempt {
  readonly batches: number
  readonly startedAtMs: number
  readonly durationMs: number
  /** What it failed with, or null. */
  readonly error: unknown
}

export interface CoordinatorOptions {
  readonly postgres: PostgresEndpoint
  readonly replay: ReplayPolicy
  /** A holder of a lock that gives no sign of life for so long is taken to be dead. */
  readonly staleMs: number
  /** Uncompressed bytes that one commit brings together, at most; a larger batch is committed alone. */
  readonly maxGroupPayloadBytes: number
  /** Is told of each attempt when it has ended. */
  readonly observe: (attempt: Attempt) => void
}

/** One writer's part in the coordination of its tables. It is used for one batch at a time. */
export interface Coordinator extends AsyncDisposable {
  readonly kind: Coordination
  /**
   * Commits a batch, by whichever writer.
   * @throws LakeduelError as `LakeTable.apply`; `POSTGRES_UNREACHABLE`. Nobody knows then whether the batch was committed,
   *   and applying it again tells.
   */
  apply(table: SharedTable, batch: SharedBatch): Promise<SharedResult>
  /** Does what needs the table for itself, as evolving, maintaining and swapping do, while no batch is applied. */
  alone<T>(uri: string, action: () => Promise<T>): Promise<T>
}
