/**
 * Extracts one run: reads the source, stages parts and records batches, from where the extractor before it stopped.
 *
 * What a kill costs: parts of a batch that was not recorded (they are uploaded again), and for a source whose pages are
 * dear the page that was on its way. A page is put into the spool as soon as it arrives, and is safe some milliseconds later;
 * only a kill within these costs two.
 */
import type { Surroundings } from '../lake.ts'
import { stagingOf } from '../lake.ts'
import type { Page, ReadRequest, Source, SourceDefinition, SourceTable } from '../sources/source.ts'
import type { Lease } from '../state/leases.ts'
import type { PartitionSpec, Run } from '../state/model.ts'
import { decodeRows, encodeRows } from '../state/spool-codec.ts'
import type { State } from '../state/store.ts'
import type { StoredTable } from '../state/stored-tables.ts'
import { BatchStager, type FinishedBatch } from './batch-stager.ts'
import type { ExtractLimits } from './limits.ts'
import { readThroughOutages } from './paged-reading.ts'
import { readAhead } from './reading-ahead.ts'
import {
  incrementalOf,
  type ResumePoint,
  resumePointOf,
  storedBefore,
  type TableMark,
  tableMarkOf,
} from './resume-point.ts'
import { stageByParts } from './staged-reading.ts'
import { newPartKey } from './staging/part-key.ts'
import { StagingRun } from './staging-run.ts'
import { TablePlan } from './table-plan.ts'

export interface ExtractionOptions {
  readonly state: State
  readonly surroundings: Surroundings
  readonly run: Run
  readonly lease: Lease
  readonly definition: SourceDefinition
  readonly secrets: readonly string[]
  readonly source: Source
  readonly table: SourceTable
  readonly parents: ReadRequest['parents']
  readonly limits: ExtractLimits
  readonly maxStagedBytes: number
  /** Aborts when the extractor is to stop after the page in hand. */
  readonly drain: AbortSignal
  /** Aborts when not even that page can be waited for, and when the lease is lost. */
  readonly abort: AbortSignal
  readonly report: Reporter
}

export interface Reporter {
  read(progress: { readonly pages: number; readonly rows: number; readonly bytes: number }): void
  waiting(for_: 'loaders' | 'source' | null): void
}

/** What the steps of an extraction share. */
export interface Extracting extends ExtractionOptions {
  readonly from: ResumePoint
  readonly plan: TablePlan
  readonly staging: StagingRun
  readonly request: Omit<ReadRequest, 'resume'>
}

/**
 * Resolves to whether all is read; false when it was drained, and then a successor goes on.
 * @throws SourceFailed; LakeduelError `LEASE_LOST`, `RUN_NOT_ACTIVE`, `SCHEMA_MISMATCH`, `BATCH_INVALID`, `S3_…`
 */
export async function extractRun(options: ExtractionOptions): Promise<boolean> {
  const { state, lease, drain } = options
  const extracting = await prepare(options)
  const from = await stageByParts(extracting)
  if (from !== null) await stageByRows({ ...extracting, from })
  if (drain.aborted) return false
  await recordEmptyTable(extracting)
  await state.extraction.finish(lease)
  return true
}

/** A table without rows is a table all the same, where its columns are known: a batch without parts makes it. */
async function recordEmptyTable({ run, plan, staging, from }: Extracting): Promise<void> {
  if (run.nextBatchIndex > 0 || staging.recorded > 0 || plan.columns.length === 0) return
  const partition = plan.partition ?? { mode: 'none' }
  const { cursor, pages } = from
  const { columns, names } = plan
  await staging.record({ parts: [], columns, partition, names, cursor, skipRows: 0, pages, mark: undefined })
}

async function prepare(options: ExtractionOptions): Promise<Extracting> {
  const { state, run, table, lease, limits, drain, abort, parents } = options
  const stored = await storedBefore(run, state)
  const from = resumePointOf(run.resumeCursor)
  const before = tableMarkOf(stored?.mark ?? null)
  const mark = run.mark === null ? before : tableMarkOf(run.mark)
  return {
    ...options,
    from,
    plan: planOf(run, table, { stored, names: from.names.length > 0 ? from.names : before.names }),
    staging: new StagingRun({
      state,
      lease,
      from,
      mark: mark.mark,
      maxStagedBytes: options.maxStagedBytes,
      spooled: table.pagesAreDear,
      parents: table.parent === null ? null : parents === null ? 'source' : 'stored',
      drain,
      onWaiting: (waiting) => options.report.waiting(waiting ? 'loaders' : null),
    }),
    request: {
      table,
      incremental: incrementalOf(run, stored),
      signal: abort,
      limits: limits.read,
      parents,
    },
  }
}

interface Before {
  readonly stored: StoredTable | null
  readonly names: TableMark['names']
}

function planOf({ spec, columns, partition }: Run, table: SourceTable, { stored, names }: Before): TablePlan {
  const known: PartitionSpec | null = partition ?? stored?.partition ?? spec.partition
  return new TablePlan({
    table,
    known: columns.length > 0 ? columns : (stored?.columns ?? []),
    names,
    partition: known,
    mode: spec.mode,
    primaryKey: spec.primaryKey,
    incrementalField: spec.incrementalField,
    nested: spec.nested,
    columnTypes: spec.columnTypes,
    expectedRows: table.estimatedRows,
  })
}

/** The way that every source has: rows become parts in this process. */
async function stageByRows(extracting: Extracting): Promise<void> {
  await using rows = new RowStaging(extracting)
  await rows.addSpooled()
  const reading = readThroughOutages<Page>({
    definition: extracting.definition,
    secrets: extracting.secrets,
    from: rows.cursor,
    read: (resume) => extracting.source.read({ ...extracting.request, resume }),
    signal: extracting.abort,
    onWaiting: (waiting) => extracting.report.waiting(waiting ? 'source' : null),
  })
  // A page that is dear is slow, too; others are read as they are needed, since each may be large.
  const pages = extracting.table.pagesAreDear ? rows.keptAhead(reading) : reading
  try {
    for await (const page of pages) {
      await rows.addRead(page)
      if (extracting.drain.aborted) break
    }
  } catch (error) {
    if (!extracting.drain.aborted) {
      // What was read before is kept, whatever ended the reading, and that is what is told.
      await rows.flush().catch(() => undefined)
      throw error
    }
  }
  await rows.flush()
}

/** Pages on their way into batches, with the count of rows by which a page that is cut is resumed in its middle. */
class RowStaging implements AsyncDisposable {
  readonly #extracting: Extracting
  readonly #stager: BatchStager
  /** The rows of the run's pages from the resume point on, by how many pages they are. */
  readonly #rowsThrough = [0]
  #skip: number
  #batchedRows = 0
  #isBroken = false
  #read = { pages: 0, rows: 0, bytes: 0 }

  constructor(extracting: Extracting) {
    const { plan, limits, surroundings, run, lease } = extracting
    this.#extracting = extracting
    this.#skip = extracting.from.skipRows
    this.#stager = new BatchStager({
      plan,
      limits,
      storage: stagingOf(surroundings, run.runId),
      nextKey: () => newPartKey(lease),
    })
  }

  /** After the last page that was added. */
  get cursor() {
    return this.#stager.position?.cursor ?? this.#extracting.from.cursor
  }

  async addSpooled(): Promise<void> {
    const { table, state, lease } = this.#extracting
    if (!table.pagesAreDear) return
    for await (const page of state.extraction.loadSpool(lease)) {
      const mark = page.mark === null ? {} : { mark: page.mark }
      const rows = await decodeRows(page.rows)
      await this.#wholeOrBroken(() => this.#add({ rows, cursor: page.cursor, ...mark }))
    }
  }

  /** Pages that come after those of the spool, and are in it before the one after the next is asked for. */
  keptAhead(pages: AsyncGenerator<Page, void, void>): AsyncGenerator<Page, void, void> {
    const { state, lease, from, limits } = this.#extracting
    let pageNo = from.pages + this.#rowsThrough.length - 1
    return readAhead({
      pages,
      keep: async (page) => {
        pageNo += 1
        const { cursor, mark = null } = page
        await state.extraction.spoolPage(lease, { pageNo, rows: encodeRows(page), cursor, mark })
      },
      waitingBytes: limits.waitingBytes,
    })
  }

  async addRead(page: Page): Promise<void> {
    const { report } = this.#extracting
    await this.#wholeOrBroken(() => this.#add(page))
    const { pages, rows, bytes } = this.#read
    this.#read = {
      pages: pages + 1,
      rows: rows + page.rows.length,
      bytes: bytes + (page.bytes ?? 0),
    }
    report.read(this.#read)
  }

  /**
   * Ends the batch that is open, and does nothing once a page or a batch has failed half way: whether that batch is recorded
   * is not known then, and one that came after it would leave its rows out.
   */
  async flush(): Promise<void> {
    if (this.#isBroken) return
    await this.#wholeOrBroken(async () => {
      const finished = await this.#stager.finish()
      if (finished !== null) await this.#record(finished)
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stager[Symbol.asyncDispose]()
  }

  async #wholeOrBroken(work: () => Promise<void>): Promise<void> {
    this.#isBroken = true
    await work()
    this.#isBroken = false
  }

  async #add(page: Page): Promise<void> {
    const skipped = Math.min(this.#skip, page.rows.length)
    this.#skip -= skipped
    const rest = skipped === 0 ? page : { ...page, rows: page.rows.slice(skipped) }
    const finished = await this.#stager.add(rest)
    this.#rowsThrough.push((this.#rowsThrough.at(-1) ?? 0) + rest.rows.length)
    for (const batch of finished) await this.#record(batch)
  }

  async #record(finished: FinishedBatch): Promise<void> {
    const { staging, plan, from } = this.#extracting
    const { position, endsWithPage, parts, columns, rows } = finished
    this.#batchedRows += rows
    const pages = position?.pages ?? 0
    const intoPage = this.#batchedRows - (this.#rowsThrough[pages] ?? 0)
    await staging.record({
      parts,
      columns,
      partition: plan.partition ?? { mode: 'none' },
      names: plan.names,
      cursor: position?.cursor ?? from.cursor,
      skipRows: endsWithPage ? 0 : intoPage + (pages === 0 ? from.skipRows : 0),
      pages: from.pages + pages,
      mark: position?.mark,
    })
  }
}
