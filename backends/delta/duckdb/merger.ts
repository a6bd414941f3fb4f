/**
 * Upserts, inserts and deletes by key in Delta tables by DuckDB: the engine of the DuckLake arms, with the format of delta-rs.
 *
 * A merge, of one batch or of several together:
 * 1. the sidecar reads the log, says which batches are in the table already, refuses a table that asks for more than its
 *    columns (`rewritable.py`), and lists the files with what the log tells of their keys;
 * 2. DuckDB reads the staged parts, keeps the last row of each key, and looks through the files that may hold one of the
 *    keys, reading key columns only (`touched.ts`);
 * 3. each file that does hold one is written anew without those rows, and with the batch's rows of its partition
 *    (`jobs.ts`, `write.ts`); files in which no key is found stay as they are;
 * 4. the sidecar commits what was written and what it replaces in one commit with the tags, unless somebody else has
 *    changed a partition of the batch since step 1 (`replacing.py`).
 * What a lost commit has written is deleted; what a killed process has written is in no log, and so in no table.
 */
import { randomUUID } from 'node:crypto'
import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import pLimit from 'p-limit'
import { z } from 'zod'
import { duckDbVersion } from '../../../platform/duckdb/session.ts'
import { LakeduelError } from '../../../platform/errors.ts'
import { deleteFiles } from '../../../platform/storage/files.ts'
import type { ApplyResult, BackendEnvironment, KeyedMode, TaggedBatch } from '../../backend.ts'
import { translated } from '../../duckdb/errors.ts'
import type { TableSpec } from '../../schema.ts'
import { columnSchema } from '../../schema.ts'
import type { DeltaSettings } from '../settings.ts'
import type { SidecarProcess } from '../sidecar-process.ts'
import type { Merged } from './merge.ts'
import { merge, urisOf } from './merge.ts'
import type { Sessions } from './sessions.ts'
import { openSessions } from './sessions.ts'
import type { DuckDbSettings } from './settings.ts'

/** A table, and who reads and writes its log. */
export interface MergeTarget {
  readonly sidecar: Pick<SidecarProcess, 'request'>
  readonly uri: string
  readonly spec: TableSpec
}

/** What merges of a backend have in common. */
interface MergerState {
  readonly environment: BackendEnvironment
  readonly settings: DeltaSettings
  readonly duckDbSettings: DuckDbSettings
  readonly sessions: Sessions
}

const planSchema = z.object({
  alreadyAppliedEach: z.array(z.boolean()),
  version: z.int(),
  columns: z.array(columnSchema),
  statisticsColumns: z.array(z.string()),
})
type Plan = z.infer<typeof planSchema>

const committedSchema = z.object({ version: z.string(), attempts: z.int(), commitMs: z.number() })

/** The schema in DuckDB that the tables of a merge are in. */
const SCHEMA = 'merge'

/**
 * After so many files DuckDB is opened anew: what it keeps of a file for the second time that it is read, its length and
 * its footer, it keeps for good, and a file that was replaced is never read again.
 */
const FILES_OF_SESSIONS = 5_000

/** DuckDB, for merges into the tables of a backend, one after the other. */
export class DuckDbMerger implements AsyncDisposable {
  readonly versions: Readonly<Record<string, string>>
  readonly #environment: BackendEnvironment
  readonly #settings: DeltaSettings
  readonly #duckDbSettings: DuckDbSettings
  readonly #alone = pLimit(1)
  #sessions: Sessions
  #filesRead = 0

  private constructor(
    environment: BackendEnvironment,
    settings: DeltaSettings,
    duckDbSettings: DuckDbSettings,
    sessions: Sessions,
    versions: Readonly<Record<string, string>>,
  ) {
    this.versions = versions
    this.#environment = environment
    this.#settings = settings
    this.#duckDbSettings = duckDbSettings
    this.#sessions = sessions
  }

  static async open(
    environment: BackendEnvironment,
    settings: DeltaSettings,
    duckDbSettings: DuckDbSettings,
  ): Promise<DuckDbMerger> {
    return translated('connecting', { arm: 'delta/duckdb' }, async () => {
      const sessions = await openSessions(environment, duckDbSettings)
      const versions = { duckdb: duckDbVersion(), ...(await sessions[0].extensionVersions()) }
      return new DuckDbMerger(environment, settings, duckDbSettings, sessions, versions)
    })
  }

  /** Null where no batch that is still to be applied has a row, so that there is nothing to merge. */
  apply(target: MergeTarget, batches: readonly TaggedBatch[], mode: KeyedMode): Promise<ApplyResult | null> {
    const facts = { table: target.spec.name, mode, tags: batches.map(({ tag }) => tag) }
    return this.#alone(() =>
      translated(`merging into table ${target.spec.name}`, facts, async () => {
        if (this.#filesRead > FILES_OF_SESSIONS) await this.#openAnew()
        const result = await applyMerge(this.#state, target, batches, mode)
        this.#filesRead += result?.engine['filesProbed'] ?? 0
        return result
      }),
    )
  }

  async close(): Promise<void> {
    await this.#sessions[0].close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  get #state(): MergerState {
    return {
      environment: this.#environment,
      settings: this.#settings,
      duckDbSettings: this.#duckDbSettings,
      sessions: this.#sessions,
    }
  }

  async #openAnew(): Promise<void> {
    await this.#sessions[0].close()
    this.#sessions = await openSessions(this.#environment, this.#duckDbSettings)
    this.#filesRead = 0
  }
}

async function applyMerge(
  state: MergerState,
  target: MergeTarget,
  batches: readonly TaggedBatch[],
  mode: KeyedMode,
): Promise<ApplyResult | null> {
  const { environment, sessions } = state
  const [session] = sessions
  const scratchDir = join(environment.scratchDir, `lakeduel-merge-${randomUUID()}`)
  const listing = join(scratchDir, 'files.parquet')
  await mkdir(scratchDir)
  try {
    const plan = await planOf(target, batches, listing)
    const free = batches.filter((_, index) => plan.alreadyAppliedEach[index] === false)
    if (free.length === 0) return nothingDone(batches, plan)
    await session.run(`CREATE SCHEMA ${SCHEMA}`)
    const { storage } = environment
    const spec = { ...target.spec, columns: plan.columns }
    const context = { ...state, ...plan, schema: SCHEMA, storage, spec, uri: target.uri, scratchDir, listing }
    const merged = await merge(context, mode, { parts: free.flatMap(({ batch }) => batch.parts) })
    if (merged === null) return null
    return await committed(state, target, plan, { batches, free, merged })
  } finally {
    await rm(scratchDir, { recursive: true, force: true })
    await session.run(`DROP SCHEMA IF EXISTS ${SCHEMA} CASCADE`)
  }
}

function planOf(
  { sidecar, uri, spec }: MergeTarget,
  batches: readonly TaggedBatch[],
  filesPath: string,
): Promise<Plan> {
  const fields = { uri, tags: batches.map(({ tag }) => tag), primaryKey: spec.primaryKey, filesPath }
  return sidecar.request('plan_rewrite', fields, planSchema)
}

interface Applied {
  readonly batches: readonly TaggedBatch[]
  /** Those that were not applied before. */
  readonly free: readonly TaggedBatch[]
  readonly merged: Merged
}

/** Commits a merge; when that is lost to another writer, deletes the files that it would have added. */
async function committed(
  { environment, settings }: MergerState,
  { sidecar, uri }: MergeTarget,
  plan: Plan,
  { batches, free, merged }: Applied,
): Promise<ApplyResult> {
  const { partitions, written, replaced, rowsInserted, rowsUpdated, engine } = merged
  const fields = {
    uri,
    version: plan.version,
    tags: free.map(({ tag }) => tag),
    partitions,
    written,
    replaced,
    maxCommitRetries: settings.maxCommitRetries,
  }
  try {
    const { version, attempts, commitMs } = await sidecar.request('commit_rewrite', fields, committedSchema)
    return {
      ...nothingDone(batches, plan),
      alreadyApplied: false,
      rowsInserted,
      rowsUpdated,
      commits: 1,
      attempts,
      version,
      engine: { ...engine, commitMs },
    }
  } catch (error) {
    // Of any other failure nobody knows here whether it was committed, and then the files are the table's.
    const isLost = error instanceof LakeduelError && error.code === 'COMMIT_CONFLICT'
    if (isLost) await deleteFiles(environment.storage, urisOf(uri, written))
    throw error
  }
}

function nothingDone(batches: readonly TaggedBatch[], { alreadyAppliedEach, version }: Plan): ApplyResult {
  return {
    alreadyApplied: true,
    alreadyAppliedEach,
    rowsRead: batches.flatMap(({ batch }) => batch.parts).reduce((sum, { rows }) => sum + rows, 0),
    rowsInserted: 0,
    rowsUpdated: 0,
    commits: 0,
    attempts: 0,
    version: String(version),
    engine: {},
  }
}
