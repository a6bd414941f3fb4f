import { LakeduelError } from '../../platform/errors.ts'
import { setCommitInfo } from '../lake/commit-info.ts'
import { engineStep } from '../lake/engine-errors.ts'
import type { Lake } from '../lake/lake.ts'
import { nextRowId } from '../lake/table-id.ts'
import { stagingName, type TableName } from '../lake/table-name.ts'
import { brokenDataFile, isFailure } from '../parquet/broken-file.ts'
import { liveRows } from '../plan/file-plan.ts'
import type { TablePlan } from '../plan/plan.ts'
import { copyAll } from '../register/copies.ts'
import { DeletedRows } from '../register/deleted-rows.ts'
import { type RegisteredPlace, registerFiles } from '../register/register.ts'
import { RewrittenRanges } from '../rewrite/ranges.ts'
import { rewriteFiles } from '../rewrite/rewrite.ts'
import type { DeltaSource } from '../source/source.ts'
import { type MigrationState, replaceState } from '../state/state.ts'
import { type Batch, batchesOf } from './batches.ts'
import { finishTable } from './finish-table.ts'
import type { MoveProgress } from './move.ts'

/** Brings the batches of one plan into the table that is being filled, each in a transaction with the state that counts it. */
export class Mover {
  readonly #lake: Lake
  readonly #target: TableName
  readonly #staging: TableName
  readonly #plan: TablePlan
  readonly #place: RegisteredPlace
  readonly #deleted: DeletedRows
  readonly #report: (progress: MoveProgress) => void

  constructor(
    source: DeltaSource,
    lake: Lake,
    target: TableName,
    plan: TablePlan,
    place: RegisteredPlace,
    report: (progress: MoveProgress) => void,
  ) {
    this.#lake = lake
    this.#target = target
    this.#staging = stagingName(target)
    this.#plan = plan
    this.#place = place
    this.#deleted = new DeletedRows(source, plan.snapshot.version)
    this.#report = report
  }

  /** Those that are not done yet. */
  async moveBatches(begun: MigrationState): Promise<MigrationState> {
    let state = begun
    const batches = batchesOf(this.#plan)
    for (const [index, batch] of batches.entries()) {
      this.#tell(batches, index)
      if (index < state.batchesDone) continue
      state = await this.#moveBatch(state, batch)
    }
    this.#tell(batches, batches.length)
    return state
  }

  async finish(state: MigrationState): Promise<MigrationState> {
    if (state.status !== 'moving') return state
    const moved = { ...state, status: 'moved' } as const
    await this.#commit('finishing the table', state, moved, () =>
      finishTable(this.#lake, this.#staging, this.#plan),
    )
    return moved
  }

  async #moveBatch(state: MigrationState, batch: Batch): Promise<MigrationState> {
    try {
      return await this.#tryBatch(state, batch, this.#place)
    } catch (error) {
      const uris = batch.files.map(({ file }) => file.uri)
      const broken = await brokenDataFile(this.#lake.session, uris, error)
      if (broken !== null) throw broken
      if (batch.kind === 'rewrite' || this.#place.present.length === 0 || !isFailure(error)) throw error
      // A pattern may have met a file that was written meanwhile and has other columns.
      return await this.#tryBatch(state, batch, { ...this.#place, present: [] })
    }
  }

  async #tryBatch(state: MigrationState, batch: Batch, place: RegisteredPlace): Promise<MigrationState> {
    const after = { ...state, batchesDone: state.batchesDone + 1 }
    const doing = `moving batch ${after.batchesDone} of ${state.batches}`
    if (batch.kind === 'register' && state.ownership === 'copied') {
      await engineStep(doing, {}, () => copyAll(this.#lake, batch.files, place))
    }
    await this.#commit(doing, state, after, async () => {
      const rows = await this.#write(batch, place)
      const expected = batch.files.reduce((sum, file) => sum + liveRows(file), 0)
      if (rows !== expected) throw wrongRows(doing, rows, expected)
    })
    return after
  }

  async #write({ kind, files }: Batch, place: RegisteredPlace): Promise<number> {
    if (kind === 'register') {
      return registerFiles(this.#lake, this.#staging, this.#plan, files, place, this.#deleted)
    }
    return rewriteFiles(this.#lake, this.#staging, this.#plan, files, {
      deleted: this.#deleted,
      ranges: new RewrittenRanges(this.#lake, this.#target),
      start: await nextRowId(this.#lake, this.#staging),
    })
  }

  async #commit(
    doing: string,
    before: MigrationState,
    after: MigrationState,
    work: () => Promise<void>,
  ): Promise<void> {
    const info = { migration: before.id, deltaVersion: before.version }
    await engineStep(doing, { ...this.#target, migration: before.id }, () =>
      this.#lake.session.transaction(async () => {
        await replaceState(this.#lake, this.#target, before, after)
        await work()
        await setCommitInfo(this.#lake, doing, info)
      }),
    )
  }

  #tell(batches: readonly Batch[], done: number): void {
    const bytesOf = (some: readonly Batch[]) =>
      some.reduce((sum, { files }) => sum + files.reduce((bytes, { footer }) => bytes + footer.bytes, 0), 0)
    const filesOf = (some: readonly Batch[]) => some.reduce((sum, { files }) => sum + files.length, 0)
    this.#report({
      filesDone: filesOf(batches.slice(0, done)),
      filesTotal: filesOf(batches),
      bytesDone: bytesOf(batches.slice(0, done)),
      bytesTotal: bytesOf(batches),
      version: null,
    })
  }
}

function wrongRows(doing: string, rows: number, expected: number): LakeduelError {
  return new LakeduelError(
    'PROOF_FAILED',
    `While ${doing}, ${rows} rows came, and ${expected} were expected.`,
    {
      facts: { rows, expected },
      remedy: 'The batch was taken back. A data file must have changed meanwhile; make a new plan.',
    },
  )
}
