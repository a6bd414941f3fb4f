import type { Page, ReadRequest, Row, Source, SourceColumn, SourceTable } from '../source.ts'
import type { FilesConfig } from './config.ts'
import type { DataFile } from './data-file.ts'
import { BadFile } from './errors.ts'
import type { FileStore } from './file-store.ts'
import { LocalFiles } from './local-files.ts'
import { parseLocation } from './location.ts'
import { openDuckDb, parquetColumns } from './parquet.ts'
import type { PlacedRow, Position } from './position.ts'
import { NOTHING_SEEN, Progress, seenSchema } from './progress.ts'
import { openReader } from './reader.ts'
import { S3Files, s3AccessOf } from './s3-files.ts'
import {
  csvColumns,
  FILE_COLUMN,
  type FormattedFiles,
  formatted,
  MODIFIED_COLUMN,
  ROW_COLUMN,
  tableOf,
} from './table.ts'
import { cursorSchema, filesToRead, Walk } from './walk.ts'

/** A line is there as bytes, as text and once more as its values, all at once, where other sources hold the values alone. */
const ROW_SHARE = 0.6
const HOUR_MS = 3_600_000
/** Of the time of the file and the number of the row. */
const FIXED_COLUMN_BYTES = 16

export class FilesSource implements Source {
  readonly #config: FilesConfig
  readonly #store: FileStore
  readonly #isRemote: boolean

  constructor(config: FilesConfig) {
    this.#config = config
    const location = parseLocation(config.location)
    this.#isRemote = location.bucket !== null
    this.#store = this.#isRemote ? new S3Files(location, s3AccessOf(config)) : new LocalFiles(location)
  }

  async checkCredentials(): Promise<void> {
    await this.#store.list(new AbortController().signal)
  }

  async discover(): Promise<readonly SourceTable[]> {
    const { signal } = new AbortController()
    const found = formatted(this.#config, await this.#store.list(signal))
    return [tableOf(this.#config, await this.#columns(found, signal))]
  }

  async *read(request: ReadRequest): AsyncIterable<Page> {
    const { signal } = request
    signal.throwIfAborted()
    try {
      yield* this.#pages(request)
    } catch (error) {
      // Streams and requests throw errors of their own when they are aborted.
      signal.throwIfAborted()
      throw error
    }
    signal.throwIfAborted()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#store[Symbol.asyncDispose]()
  }

  async *#pages({ incremental, resume, signal, limits }: ReadRequest): AsyncIterable<Page> {
    const maxRowBytes = Math.min(this.#config.maxRowBytes, Math.floor(limits.maxRowBytes * ROW_SHARE))
    const { format, files } = formatted(this.#config, await this.#store.list(signal))
    const start = resume === null ? null : cursorSchema.parse(resume)
    const since = incremental?.since == null ? NOTHING_SEEN : seenSchema.parse(incremental.since)
    const progress = new Progress(start?.seen ?? since, files, this.#config.lookbackHours * HOUR_MS)
    const walk = new Walk(progress, limits, incremental !== null)
    await using reader = await openReader(format, { ...this.#config, maxRowBytes }, this.#store)
    try {
      for (const { file, position } of filesToRead(progress, start?.begun ?? null)) {
        walk.begin(file, position)
        yield* this.#pagesOf(file, reader.rows(file, position, signal), walk, signal)
        walk.end(file)
      }
    } catch (error) {
      // Rows before one that is too large are rows all the same. A bad file is corrected first, and is another one then, in
      // whose middle nobody could go on.
      if (walk.hasMoved && !signal.aborted && !(error instanceof BadFile)) yield walk.page()
      throw error
    }
    if (walk.hasMoved) yield walk.page()
  }

  async *#pagesOf(
    file: DataFile,
    reading: AsyncIterable<Iterable<PlacedRow>>,
    walk: Walk,
    signal: AbortSignal,
  ): AsyncIterable<Page> {
    const more = this.#config.fileColumns ? file.name.length + FIXED_COLUMN_BYTES : 0
    for await (const rows of reading) {
      signal.throwIfAborted()
      for (const placed of rows) {
        const bytes = placed.bytes + more
        if (!walk.fits(bytes)) yield walk.page()
        walk.add(this.#withFileColumns(placed.row, file, placed.next), bytes, placed.next)
      }
    }
  }

  #withFileColumns(row: Row, file: DataFile, { row: number }: Position): Row {
    if (!this.#config.fileColumns) return row
    return {
      ...row,
      [FILE_COLUMN]: file.name,
      [MODIFIED_COLUMN]: new Date(file.modifiedAtMs),
      [ROW_COLUMN]: number,
    }
  }

  async #columns(
    { format, files }: FormattedFiles,
    signal: AbortSignal,
  ): Promise<readonly SourceColumn[] | null> {
    if (format === 'ndjson') return null
    if (format === 'csv') return csvColumns(this.#store, files, this.#config, signal)
    await using session = await openDuckDb(this.#isRemote ? s3AccessOf(this.#config) : null)
    return await parquetColumns(
      session,
      files.map((file) => this.#store.uriOf(file)),
    )
  }
}
