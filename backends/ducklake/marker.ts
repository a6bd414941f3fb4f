import { z } from 'zod'
import type { DuckDbSession } from '../../platform/duckdb/session.ts'
import { literal } from '../../platform/duckdb/sql.ts'
import type { CommitTag } from '../backend.ts'
import { tableExists, tableName } from './catalog.ts'

/** Tables whose name begins so are ours and no user's. */
const MARKER_PREFIX = '__lakeduel_commits_'

/**
 * The row that every commit updates. Two inserts of a run's first row would both commit, since DuckLake lets appends pass
 * each other; two updates of one row never do.
 */
const FENCE = ''

/**
 * The inlining limit that a marker needs: the rows of one commit, which are as many as the runs that it brings together,
 * and the fence. It is the session's; lake tables have their own.
 */
export const MARKER_INLINING_ROWS = 1_000

/**
 * The marker table of one lake table: which batch of each run was committed last. Each lake table has its own, because
 * DuckLake judges conflicts by table and a shared one would make commits to different tables abort each other.
 * Its rows are inlined, that is they live in Postgres: a commit updates them without a data or delete file.
 */
export class CommitMarker {
  readonly #session: DuckDbSession
  /** Of the table of markers itself. */
  readonly name: string
  readonly #table: string

  constructor(session: DuckDbSession, lakeTableName: string) {
    this.#session = session
    this.name = MARKER_PREFIX + lakeTableName
    this.#table = tableName(this.name)
  }

  /**
   * Makes the table of markers; runs in the transaction that makes the lake table. One that is there already was left
   * behind by somebody who dropped the lake table by hand, and says of rows that they are stored which are gone.
   */
  async create(): Promise<void> {
    await this.#session.run(
      `CREATE OR REPLACE TABLE ${this.#table} (run_id VARCHAR NOT NULL, batch_index BIGINT NOT NULL)`,
    )
    await this.#session.run(`INSERT INTO ${this.#table} VALUES (${literal(FENCE)}, 0)`)
  }

  /**
   * Makes the table of markers of a lake table that somebody else has made, as a migration does; does nothing where there is
   * one. Runs in a transaction, so that of two that find none one conflicts.
   */
  async adopt(): Promise<void> {
    if (!(await tableExists(this.#session, this.name))) await this.create()
  }

  /**
   * Claims batches in the open transaction by compare-and-set, and tells of each whether it was free. A writer that was
   * thought dead and commits late conflicts here, instead of writing a batch a second time.
   */
  async claim(tags: readonly CommitTag[]): Promise<readonly boolean[]> {
    const progress = await this.#progress(tags.map(({ runId }) => runId))
    const claimed = new Map<string, number>()
    const isFree = tags.map(({ runId, batchIndex }) => {
      const free = batchIndex > (claimed.get(runId) ?? progress.get(runId) ?? -1)
      if (free) claimed.set(runId, batchIndex)
      return free
    })
    if (claimed.size > 0) await this.#advance(claimed)
    return isFree
  }

  /** Makes every commit of a batch that is under way conflict with the open transaction. */
  async fence(): Promise<void> {
    await this.#session.run(`UPDATE ${this.#table} SET batch_index = 0 WHERE run_id = ${literal(FENCE)}`)
  }

  async appliedThrough(runId: string): Promise<number | null> {
    return (await this.#progress([runId])).get(runId) ?? null
  }

  async #progress(runIds: readonly string[]): Promise<ReadonlyMap<string, number>> {
    const rows = await this.#session.query(
      z.object({ run_id: z.string(), batch_index: z.bigint() }),
      `SELECT run_id, batch_index FROM ${this.#table} WHERE run_id IN (${runIds.map(literal).join(', ')})`,
    )
    return new Map(rows.map((row) => [row.run_id, Number(row.batch_index)]))
  }

  /** Moves the fence, too, so that of two writers that read the same progress one conflicts. */
  async #advance(claimed: ReadonlyMap<string, number>): Promise<void> {
    const rows = [[FENCE, 0] as const, ...claimed].map(
      ([runId, index]) => `(${literal(runId)}, ${index}::BIGINT)`,
    )
    await this.#session.run(
      `MERGE INTO ${this.#table} AS stored
       USING (VALUES ${rows.join(', ')}) AS claimed (run_id, batch_index) ON stored.run_id = claimed.run_id
       WHEN MATCHED THEN UPDATE SET batch_index = claimed.batch_index
       WHEN NOT MATCHED THEN INSERT VALUES (claimed.run_id, claimed.batch_index)`,
    )
  }
}
