/**
 * The DuckLake backend: DuckDB with DuckLake's catalog in Postgres and its data files on S3 or in a folder.
 *
 * Words, as DuckLake has them:
 * - **catalog**: the tables in Postgres that say which files and deletes make up each lake table; a **snapshot** is a version of all of it;
 * - **data file**: Parquet, never changed; **delete file**: the positions of a data file's deleted rows (merge-on-read);
 * - **inlining**: rows kept in Postgres instead of a data file;
 * - **marker**: our own table beside each lake table that says which batch of each run is in it (`marker.ts`).
 *
 * The commit protocol. A batch, or several that are applied together, is one DuckLake transaction:
 * 1. the marker is advanced by compare-and-set; batches that it stands at already are left out, and if that are all of
 *    them, the transaction is rolled back;
 * 2. the parts' footers are compared with the table, and an upsert reads the batch's keys;
 * 3. the strategy writes data and delete files, in as many statements as the batch's bytes ask for; an append whose parts
 *    are what DuckLake would write itself copies them on the object store and adds them instead (`register.ts`), and an
 *    upsert into many partitions uploads files that it wrote on this machine (`fan-out.ts`);
 * 4. the commit adds them all to the catalog under one snapshot, which is when readers see them.
 * Another writer that committed meanwhile has moved the marker too, so the second of the two always fails with
 * `COMMIT_CONFLICT`, and its files are orphans that no snapshot names.
 *
 * A swap is one transaction as well: the target's marker is advanced, the target dropped, the shadow renamed, and the
 * shadow's marker dropped (`swap.ts`). A widening copies the rows to a new table and renames that in one transaction, with
 * the marker's fence moved (`evolve.ts`). Files of dropped tables go when `maintain` expires the snapshots that name them.
 */

import { attachDuckLake, createS3Secret, secretsOf } from '../../platform/duckdb/attach.ts'
import type { DuckDbSession as Session } from '../../platform/duckdb/session.ts'
import { DuckDbSession, duckDbVersion } from '../../platform/duckdb/session.ts'
import { LakeduelError } from '../../platform/errors.ts'
import type {
  Arm,
  Backend,
  BackendEnvironment,
  BackendFactory,
  Capabilities,
  CommitTag,
  LakeTable,
  StoredTable,
  SwapResult,
} from '../backend.ts'
import { translated } from '../duckdb/errors.ts'
import type { ColumnSpec, TableSpec } from '../schema.ts'
import { applyByDeleteInsert } from './apply-delete-insert.ts'
import { applyByMerge } from './apply-merge.ts'
import type { AttachedLake } from './catalog.ts'
import { DATA_FOLDER, LAKE, partitionColumn, reconcile, storedColumns, tableExists } from './catalog.ts'
import { rewriteName } from './evolve.ts'
import { makeTable } from './make-table.ts'
import { CommitMarker, MARKER_INLINING_ROWS } from './marker.ts'
import { ensureOptions } from './options.ts'
import type { DuckLakeSettings } from './settings.ts'
import { duckDbSettings, settingsFor, tableOptions } from './settings.ts'
import type { UpsertStrategy } from './strategy.ts'
import { dropTables, swapTables } from './swap.ts'
import { DuckLakeTable } from './table.ts'

const STRATEGIES: Readonly<Partial<Record<Arm, UpsertStrategy>>> = {
  'ducklake/merge': applyByMerge,
  'ducklake/delete-insert': applyByDeleteInsert,
}

/**
 * Upserts of one table conflict even in different partitions, because DuckLake judges conflicts by table, and its own
 * check would let two upserts of one new key both commit; the marker is what stops those.
 */
const CAPABILITIES: Capabilities = { concurrentUpserts: 'none', atomicUpserts: true, mergeOnRead: true }

export const ducklake: BackendFactory = {
  format: 'ducklake',
  async connect(arm, environment, overrides) {
    const strategy = STRATEGIES[arm]
    if (strategy === undefined) throw notAnArm(arm)
    const settings = settingsFor(environment, overrides)
    const session = await translated('connecting', { arm }, () => connectSession(environment, settings))
    const lake = {
      session,
      aside: await session.beside(),
      storage: environment.storage,
      scratchDir: environment.scratchDir,
      metadataSchema: environment.catalog.schema,
      tablesWithOptions: new Set<bigint>(),
    }
    return new DuckLakeBackend(arm, lake, settings, strategy, await engineVersions(session))
  },
}

class DuckLakeBackend implements Backend {
  readonly arm: Arm
  readonly capabilities = CAPABILITIES
  readonly settings: DuckLakeSettings
  readonly versions: Readonly<Record<string, string>>
  /** DuckDB runs in this process. */
  readonly processes = {}
  readonly #lake: AttachedLake
  readonly #strategy: UpsertStrategy

  constructor(
    arm: Arm,
    lake: AttachedLake,
    settings: DuckLakeSettings,
    strategy: UpsertStrategy,
    versions: Readonly<Record<string, string>>,
  ) {
    this.arm = arm
    this.settings = settings
    this.versions = versions
    this.#lake = lake
    this.#strategy = strategy
  }

  async stored(name: string): Promise<StoredTable | null> {
    return translated('reading the catalog', { table: name }, async () => {
      const columns = await storedColumns(this.#lake.session, name)
      return columns === null ? null : { columns, partitionBy: await partitionColumn(this.#lake, name) }
    })
  }

  /** A shadow is a table beside its target: the catalog knows where its files are, so they may lie anywhere. */
  async open(spec: TableSpec): Promise<LakeTable> {
    return translated('opening the table', { table: spec.name }, async () => {
      const { session } = this.#lake
      const stored = await storedColumns(session, spec.name)
      const opened = stored === null ? await this.#create(spec) : await this.#adopt(spec, stored)
      await ensureOptions(this.#lake, spec.name, tableOptions(this.settings))
      return new DuckLakeTable(this.#lake, this.settings, this.#strategy, opened)
    })
  }

  async swap(shadow: string, target: string, tag: CommitTag): Promise<SwapResult> {
    return translated(`swapping ${shadow} for ${target}`, { shadow, target, ...tag }, () =>
      swapTables(this.#lake, this.settings, shadow, target, tag),
    )
  }

  async drop(name: string): Promise<void> {
    const { session } = this.#lake
    const marker = new CommitMarker(session, name)
    await translated('dropping the table', { table: name }, () =>
      session.transaction(() => dropTables(session, [name, marker.name, rewriteName(name)])),
    )
  }

  async close(): Promise<void> {
    await this.#lake.session.close()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  async #adopt(spec: TableSpec, stored: readonly ColumnSpec[]): Promise<TableSpec> {
    const { session } = this.#lake
    const opened = await reconcile(this.#lake, spec, stored)
    const marker = new CommitMarker(session, spec.name)
    if (!(await tableExists(session, marker.name))) await session.transaction(() => marker.adopt())
    return opened
  }

  #create(spec: TableSpec): Promise<TableSpec> {
    const marker = new CommitMarker(this.#lake.session, spec.name)
    return makeTable(this.#lake, this.settings, spec, () => marker.create())
  }
}

async function connectSession(environment: BackendEnvironment, settings: DuckLakeSettings): Promise<Session> {
  const { storage, catalog } = environment
  const session = await DuckDbSession.open({
    extensionPaths: environment.duckdbExtensions,
    extensions: [...(storage.kind === 's3' ? ['httpfs'] : []), 'postgres_scanner', 'ducklake'],
    settings: duckDbSettings(settings, environment),
    secrets: secretsOf(storage, catalog.postgres),
  })
  try {
    if (storage.kind === 's3') await createS3Secret(session, storage.endpoint)
    await attachDuckLake(session, LAKE, {
      catalog,
      storage,
      dataFolder: DATA_FOLDER,
      readOnly: false,
      inliningRowLimit: MARKER_INLINING_ROWS,
    })
    return session
  } catch (error) {
    await session.close()
    throw error
  }
}

async function engineVersions(session: Session): Promise<Readonly<Record<string, string>>> {
  return { duckdb: duckDbVersion(), ...(await session.extensionVersions()) }
}

function notAnArm(arm: Arm): LakeduelError {
  return new LakeduelError('STRATEGY_UNAVAILABLE', `The DuckLake backend has no arm ${arm}.`, {
    facts: { arm, arms: Object.keys(STRATEGIES) },
    remedy: 'Choose one of its own arms.',
  })
}
