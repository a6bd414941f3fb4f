/**
 * The Delta Lake backend: delta-rs in a Python sidecar, one process per backend.
 *
 * Words, as Delta Lake has them:
 * - **log**: `_delta_log/`, one JSON file per **commit**, which makes a **version** of the table; a **checkpoint** sums it up;
 * - **data file**: Parquet, never changed; an upsert copies the files that it touches (copy-on-write), since delta-rs
 *   writes no deletion vectors (delta-io/delta-rs#4079);
 * - **put-if-absent**: a commit is the creation of the next numbered log file, so an endpoint that overwrites it instead
 *   loses commits silently;
 * - **txn action**: the last version that an application committed, kept in the log by application id.
 *
 * The commit protocol. A batch whose tag the log holds already changes nothing, and is left out of those that are applied
 * together. The others are as one batch of all their parts:
 * 1. the sidecar reads the keys of the staged parts, from which follow the last row of each key, the partitions and the
 *    key range of the batch;
 * 2. the strategy writes new data files; an append whose parts are what delta-rs would write itself copies them on the
 *    object store instead, and tells their statistics from their footers (`register.py`);
 * 3. one commit adds them, removes those that they replace, and carries the tags: each as a `txn` action (application id
 *    `lakeduel:<run>`, version = batch index) or, through deltalite, which can't write that, as a key of its `commitInfo`.
 * Of two writers that commit the same `txn` at once the second conflicts. `merge-loop`, and a strategy with
 * `stepPayloadBytes` or `stepTargetBytes`, commit a batch in steps whose last one carries the tag: applying it again from its start repairs
 * what a death between two steps left.
 *
 * Conflicts: delta-rs judges them by the literal predicate of a merge, so upserts of disjoint partitions go together; a
 * merge and an append, or a compaction, do not. They come back as `COMMIT_CONFLICT`, and the caller applies again.
 *
 * `delta/duckdb` leaves a merge to DuckDB, in this process, and only reading and writing the log to the sidecar, which
 * then judges conflicts itself (`duckdb/merger.ts`).
 *
 * A shadow lies below its target's folder, so that a swap is one commit to the target's log that removes the target's files
 * and adds the shadow's where they are (`swap.ts`). A widening writes every file anew and replaces them all in one commit,
 * which fails when anybody else has committed meanwhile (`rewrite.py`).
 */
import { z } from 'zod'
import { uriOf } from '../../platform/endpoints.ts'
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
  TablePlace,
} from '../backend.ts'
import type { TableSpec } from '../schema.ts'
import type { DuckDbMerger } from './duckdb/merger.ts'
import type { DeltaSettings, Strategy } from './settings.ts'
import { processEnvironment, STRATEGIES, settingsFor } from './settings.ts'
import { SidecarProcess } from './sidecar-process.ts'
import { dropTable, folderOf, swapTables } from './swap.ts'
import { DeltaTable, storedTableSchema } from './table.ts'

const helloSchema = z.object({
  versions: z.record(z.string(), z.string()),
  unavailable: z.record(z.string(), z.string()),
})

export const delta: BackendFactory = {
  format: 'delta',
  async connect(arm, environment, overrides) {
    const strategy = strategyOf(arm)
    const settings = settingsFor(strategy, environment, overrides)
    requirePutIfAbsent(environment)
    const python = availablePython(arm, environment)
    const sidecar = await SidecarProcess.start(python, environment.storage, {
      ...processEnvironment(settings),
      TMPDIR: environment.scratchDir,
    })
    try {
      const { versions, unavailable } = await sidecar.request('hello', {}, helloSchema)
      requireAvailable(arm, unavailable)
      const merger = await openMerger(environment, settings)
      return new DeltaBackend({ arm, strategy, environment, settings, versions, merger }, sidecar)
    } catch (error) {
      await sidecar.close()
      throw error
    }
  },
}

interface Connection {
  readonly arm: Arm
  readonly strategy: Strategy
  readonly environment: BackendEnvironment
  readonly settings: DeltaSettings
  readonly versions: Readonly<Record<string, string>>
  readonly merger: DuckDbMerger | null
}

class DeltaBackend implements Backend {
  readonly arm: Arm
  readonly capabilities: Capabilities
  readonly settings: Readonly<Record<string, unknown>>
  readonly versions: Readonly<Record<string, string>>
  readonly processes: Readonly<Record<string, number>>
  readonly #connection: Connection
  readonly #sidecar: SidecarProcess

  constructor(connection: Connection, sidecar: SidecarProcess) {
    this.arm = connection.arm
    this.capabilities = capabilitiesOf(connection.strategy, connection.settings)
    this.settings = { ...connection.settings }
    this.versions = { ...connection.versions, ...connection.merger?.versions }
    this.processes = { sidecar: sidecar.pid }
    this.#connection = connection
    this.#sidecar = sidecar
  }

  async stored(name: string, place: TablePlace = {}): Promise<StoredTable | null> {
    const answer = z.object({ stored: storedTableSchema.nullable() })
    const { stored } = await this.#sidecar.request('stored', { uri: this.#uriOf(name, place) }, answer)
    return stored
  }

  async open(spec: TableSpec, place: TablePlace = {}): Promise<LakeTable> {
    const { strategy, settings, merger } = this.#connection
    const options = { uri: this.#uriOf(spec.name, place), strategy, settings, merger }
    return DeltaTable.open(this.#sidecar, options, spec)
  }

  swap(shadow: string, target: string, tag: CommitTag): Promise<SwapResult> {
    return swapTables(this.#sidecar, this.#connection.environment.storage, shadow, target, tag)
  }

  drop(name: string, place: TablePlace = {}): Promise<void> {
    return dropTable(this.#sidecar, this.#connection.environment.storage, name, place)
  }

  async close(): Promise<void> {
    await this.#sidecar.close()
    await this.#connection.merger?.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  #uriOf(name: string, place: TablePlace): string {
    return uriOf(this.#connection.environment.storage, folderOf(name, place))
  }
}

/** Loaded on demand, so that a process whose strategy is delta-rs's or deltalite's never loads DuckDB. */
async function openMerger(
  environment: BackendEnvironment,
  settings: DeltaSettings,
): Promise<DuckDbMerger | null> {
  if (settings.duckdb === undefined) return null
  const { DuckDbMerger } = await import('./duckdb/merger.ts')
  return DuckDbMerger.open(environment, settings, settings.duckdb)
}

function capabilitiesOf(
  strategy: Strategy,
  { stepPayloadBytes, stepTargetBytes }: DeltaSettings,
): Capabilities {
  return {
    concurrentUpserts: 'disjoint-partitions',
    atomicUpserts: strategy !== 'merge-loop' && stepPayloadBytes === null && stepTargetBytes === null,
    mergeOnRead: false,
  }
}

function strategyOf(arm: Arm): Strategy {
  const strategy = STRATEGIES.find((name) => arm === `delta/${name}`)
  if (strategy !== undefined) return strategy
  throw new LakeduelError('STRATEGY_UNAVAILABLE', `The Delta backend has no arm ${arm}.`, {
    facts: { arm, arms: STRATEGIES.map((name) => `delta/${name}`) },
    remedy: 'Choose one of its own arms.',
  })
}

function requirePutIfAbsent({ storage }: BackendEnvironment): void {
  if (storage.kind === 'local' || storage.endpoint.putIfAbsent) return
  throw new LakeduelError(
    'S3_NO_PUT_IF_ABSENT',
    `The S3 endpoint ${storage.endpoint.url} overwrites objects in spite of If-None-Match, so Delta commits would overwrite one another.`,
    {
      facts: { endpoint: storage.endpoint.url, version: storage.endpoint.version },
      remedy:
        'Use an endpoint that honours If-None-Match: *, such as AWS S3 or MinIO, or run the DuckLake arms alone.',
    },
  )
}

function availablePython(arm: Arm, { sidecar }: BackendEnvironment): string {
  if (sidecar === null) {
    throw new LakeduelError(
      'TOOL_MISSING',
      `The arm ${arm} needs the delta-rs sidecar, which isn't set up.`,
      {
        facts: { arm },
        remedy: 'Install Python 3.10 or newer (3.12 for delta/deltalite), then run the set-up again.',
      },
    )
  }
  requireAvailable(arm, sidecar.unavailable)
  return sidecar.python
}

/** `unavailable` names arms or strategies, with the reason. */
function requireAvailable(arm: Arm, unavailable: Readonly<Record<string, string>>): void {
  const reason = unavailable[arm] ?? unavailable[strategyOf(arm)]
  if (reason === undefined) return
  throw new LakeduelError('STRATEGY_UNAVAILABLE', `${arm} is not available: ${reason}`, {
    facts: { arm, reason },
    remedy: 'Choose another arm, or install Python 3.12 or newer and run the set-up again.',
  })
}
