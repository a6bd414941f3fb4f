import { z } from 'zod'
import { literal } from '../../platform/duckdb/sql.ts'
import { LakeduelError } from '../../platform/errors.ts'
import { setCommitInfo } from '../lake/commit-info.ts'
import { engineStep } from '../lake/engine-errors.ts'
import type { Lake } from '../lake/lake.ts'
import { nextRowId, tableId } from '../lake/table-id.ts'
import { sqlName, type TableName } from '../lake/table-name.ts'
import type { CommitInfo } from '../log/actions.ts'
import type { DataFile } from '../log/data-file.ts'
import { DeletionVectorReader } from '../log/deletion-vectors/deletion-vectors.ts'
import { commitKey } from '../log/log.ts'
import type { DeltaSnapshot } from '../log/snapshot.ts'
import { finishNames } from '../move/finish-table.ts'
import { brokenDataFile } from '../parquet/broken-file.ts'
import { planColumns } from '../plan/columns.ts'
import { isRegistered } from '../plan/file-plan.ts'
import { type FilesPlan, planFiles } from '../plan/plan-files.ts'
import { copiesIn, copyAll } from '../register/copies.ts'
import { DeletedRows } from '../register/deleted-rows.ts'
import { type RegisteredPlace, registerFiles } from '../register/register.ts'
import { type RewrittenRange, RewrittenRanges } from '../rewrite/ranges.ts'
import { rewriteFiles } from '../rewrite/rewrite.ts'
import type { DeltaSource } from '../source/source.ts'
import { type MigrationState, replaceState } from '../state/state.ts'
import { deletePositions, deleteRanges, deleteRegistered } from './delete-files.ts'
import { fileChanges } from './file-changes.ts'
import { commentChanges, schemaChange } from './schema-change.ts'

/** One step from a version of a Delta table to a later one. */
export interface VersionStep {
  readonly before: DeltaSnapshot
  readonly after: DeltaSnapshot
  /** Of the commit that made it; null where several were taken together. */
  readonly info: CommitInfo | null
}

/** What a step does to the lake table, found out before its transaction. */
interface StepPlan {
  /** Registered files that go as a whole. */
  readonly removed: readonly string[]
  /** Rows that a registered file loses, by its URI. */
  readonly deleted: ReadonlyMap<string, readonly number[]>
  readonly ranges: readonly RewrittenRange[]
  readonly register: FilesPlan
  readonly rewrite: FilesPlan
  /** Whether all rows go first. */
  readonly rebuild: boolean
}

interface Growth {
  readonly file: DataFile
  /** Null where it gets rows back. */
  readonly positions: readonly number[] | null
}

/** Brings a lake table from one version of its Delta table to the next, each in one transaction with the state that says so. */
export class VersionApplier {
  readonly #source: DeltaSource
  readonly #lake: Lake
  readonly #target: TableName
  readonly #name: TableName
  readonly #ranges: RewrittenRanges

  /** @param name under which the table is now */
  constructor(source: DeltaSource, lake: Lake, target: TableName, name: TableName) {
    this.#source = source
    this.#lake = lake
    this.#target = target
    this.#name = name
    this.#ranges = new RewrittenRanges(lake, target)
  }

  /** @throws LakeduelError `MIGRATION_REFUSED` where the lake table can't become that version */
  async apply(state: MigrationState, step: VersionStep): Promise<MigrationState> {
    const { before, after, info } = step
    const doing = `applying version ${after.version}`
    const next = { ...state, version: after.version }
    const added = fileChanges(before.files, after.files).added.map(({ uri }) => uri)
    await engineStep(doing, { ...this.#target, version: after.version }, async () => {
      const plan = await this.#plan(state, step)
      const place = this.#place(state)
      if (state.ownership === 'copied') await copyAll(this.#lake, plan.register.files, place)
      await this.#lake.session.transaction(async () => {
        await replaceState(this.#lake, this.#target, state, next)
        await this.#alter(before, after)
        await this.#delete(plan)
        await this.#write(plan, place)
        await this.#assertRows(after)
        const commit = { migration: state.id, deltaVersion: after.version }
        await setCommitInfo(this.#lake, info?.operation ?? doing, commit, info?.userName ?? null)
      })
    }).catch(async (error: unknown) => {
      throw (await brokenDataFile(this.#lake.session, added, error)) ?? error
    })
    return next
  }

  async #plan(state: MigrationState, { before, after }: VersionStep): Promise<StepPlan> {
    const { rebuild } = schemaChange(before.table, after.table)
    const changes = fileChanges(before.files, after.files)
    const touched = rebuild
      ? before.files
      : [...changes.removed, ...changes.redeleted.map((change) => change.before)]
    const ranges = await this.#ranges.holding(touched.map(({ uri }) => uri))
    const removed = new Set(changes.removed.map(({ uri }) => uri))
    const inRanges = new Set(ranges.flatMap(({ uris }) => uris))
    const growth = await this.#growth(
      before,
      after,
      changes.redeleted.filter((change) => !inRanges.has(change.after.uri)),
    )
    const replaced = new Set(growth.filter(({ positions }) => positions === null).map(({ file }) => file.uri))
    const again = await this.#registeredBefore(state, changes.added)
    const anew = rebuild
      ? after.files
      : after.files.filter(({ uri }) => inRanges.has(uri) || replaced.has(uri) || again.has(uri))
    const fresh = rebuild ? [] : changes.added.filter(({ uri }) => !again.has(uri))
    const place = this.#place(state)
    const gone = before.files.filter(({ uri }) => removed.has(uri) || replaced.has(uri))
    return {
      rebuild,
      ranges,
      removed: gone.filter(({ uri }) => !inRanges.has(uri)).map((file) => place.uriOf({ file })),
      deleted: new Map(
        growth.flatMap(({ file, positions }) =>
          positions === null ? [] : [[place.uriOf({ file }), positions] as const],
        ),
      ),
      ...(await this.#planFiles(state, after, fresh, anew)),
    }
  }

  async #planFiles(
    state: MigrationState,
    snapshot: DeltaSnapshot,
    fresh: readonly DataFile[],
    anew: readonly DataFile[],
  ): Promise<Pick<StepPlan, 'register' | 'rewrite'>> {
    const { columns, problems } = planColumns(snapshot.table)
    const shared = { snapshot, columns, present: [], lookForNan: true }
    const first = await planFiles(this.#source, { ...shared, files: fresh, mode: state.mode })
    const second = await planFiles(this.#source, { ...shared, files: anew, mode: 'rewrite' })
    const refusals = [...problems, ...first.refusals, ...second.refusals]
    if (refusals.length > 0) throw cannotFollow(snapshot, refusals)
    const rewritten = first.files.filter(({ action }) => action === 'rewrite')
    return {
      register: { ...first, naming: 'physical', files: first.files.filter(isRegistered) },
      rewrite: {
        ...second,
        naming: 'logical',
        files: [...rewritten, ...second.files.filter(({ action }) => action === 'rewrite')],
        fileColumns: new Map([...first.fileColumns, ...second.fileColumns]),
      },
    }
  }

  /** The rows that files lose by other deletion vectors. */
  async #growth(
    before: DeltaSnapshot,
    after: DeltaSnapshot,
    changes: readonly { readonly before: DataFile; readonly after: DataFile }[],
  ): Promise<readonly Growth[]> {
    const reader = new DeletionVectorReader(this.#source)
    const found: Growth[] = []
    for (const change of changes) {
      const then = new Set(await positionsOf(reader, change.before, before))
      const now = await positionsOf(reader, change.after, after)
      const grown = now.filter((position) => !then.has(position))
      found.push({ file: change.after, positions: grown.length === now.length - then.size ? grown : null })
    }
    return found
  }

  /**
   * Files that are added again after they were removed (RESTORE does that). DuckLake cleans up by entries of its catalog and
   * not by paths, so it would delete the file that the new entry is of; where a guard stands, it deletes none.
   */
  async #registeredBefore(state: MigrationState, added: readonly DataFile[]): Promise<ReadonlySet<string>> {
    if (state.ownership === 'guarded' || added.length === 0) return new Set()
    const place = this.#place(state)
    const byPath = new Map(added.map((file) => [place.uriOf({ file }), file.uri]))
    const rows = await this.#lake.session.query(
      z.object({ path: z.string() }),
      `SELECT path FROM ${this.#lake.metadata}.ducklake_data_file
       WHERE table_id = ${(await tableId(this.#lake, this.#name)) ?? -1n} AND path IN (${[...byPath.keys()].map(literal).join(', ')})`,
    )
    return new Set(rows.flatMap(({ path }) => byPath.get(path) ?? []))
  }

  #place({ ownership, id }: MigrationState): RegisteredPlace {
    return ownership === 'copied' ? copiesIn(this.#lake, id) : { uriOf: ({ file }) => file.uri, present: [] }
  }

  async #alter(before: DeltaSnapshot, after: DeltaSnapshot): Promise<void> {
    const { session } = this.#lake
    const table = sqlName(this.#name)
    const { alterations, rebuild } = schemaChange(before.table, after.table)
    if (rebuild) await session.run(`DELETE FROM ${table}`)
    for (const alteration of alterations) await session.run(`ALTER TABLE ${table} ${alteration}`)
    for (const statement of commentChanges(before.table, after.table, table)) await session.run(statement)
  }

  async #delete({ rebuild, removed, deleted, ranges }: StepPlan): Promise<void> {
    await this.#ranges.forget(ranges)
    if (rebuild) return
    await deleteRegistered(this.#lake, this.#name, removed)
    await deletePositions(this.#lake, this.#name, deleted)
    await deleteRanges(this.#lake, this.#name, ranges)
  }

  async #write({ register, rewrite }: StepPlan, place: RegisteredPlace): Promise<void> {
    const deleted = new DeletedRows(this.#source, rewrite.snapshot.version)
    const start = await nextRowId(this.#lake, this.#name)
    if (register.files.length > 0) {
      await finishNames(this.#lake, this.#name, register, 'to physical')
      await registerFiles(this.#lake, this.#name, register, register.files, place, deleted)
      await finishNames(this.#lake, this.#name, register, 'to logical')
    }
    if (rewrite.files.length === 0) return
    const registered = register.files.reduce((sum, { footer }) => sum + BigInt(footer.rows), 0n)
    const means = { deleted, ranges: this.#ranges, start: start + registered }
    await rewriteFiles(this.#lake, this.#name, rewrite, rewrite.files, means)
  }

  /** Where the log tells how many rows each file has, the table must have as many. */
  async #assertRows({ files, version }: DeltaSnapshot): Promise<void> {
    if (files.some(({ rows }) => rows === null)) return
    const expected = files.reduce(
      (sum, { rows, deletionVector }) => sum + (rows ?? 0) - (deletionVector?.cardinality ?? 0),
      0,
    )
    const [row] = await this.#lake.session.query(
      z.object({ rows: z.bigint() }),
      `SELECT count(*) AS rows FROM ${sqlName(this.#name)}`,
    )
    const rows = Number(row?.rows ?? 0n)
    if (rows === expected) return
    throw new LakeduelError(
      'PROOF_FAILED',
      `With version ${version} the table would have ${rows} rows, and the Delta table has ${expected}.`,
      {
        facts: { ...this.#target, version, rows, expected },
        remedy:
          'The version was not applied. Somebody else may have written to the table: see its snapshots.',
      },
    )
  }
}

async function positionsOf(
  reader: DeletionVectorReader,
  { deletionVector }: DataFile,
  { version }: DeltaSnapshot,
): Promise<readonly number[]> {
  return deletionVector === null ? [] : reader.positions(deletionVector, commitKey(version))
}

function cannotFollow({ uri, version }: DeltaSnapshot, refusals: readonly string[]): LakeduelError {
  return new LakeduelError(
    'MIGRATION_REFUSED',
    `Version ${version} of ${uri} can't be applied: ${refusals.join('; ')}.`,
    {
      facts: { uri, version, refusals },
      remedy: 'See `lakeduel migrate plan` for that version.',
    },
  )
}
