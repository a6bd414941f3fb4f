/**
 * The contract of every source. Words:
 * - a **source** is a place that rows come from (an API, a database, files); one folder below `pipeline/sources/` each;
 * - a **page** is what a source reads at once: some rows, and the **cursor** after them;
 * - a **cursor** is JSON that only its source understands: reading from it yields what comes after the page it came with;
 * - a **high-water mark** is the value of the incremental field up to which a table was read by runs that are done.
 *
 * The pipeline knows no source by name: it reads `registry.ts`, and each source is held to `contract.ts`.
 */
import type { z } from 'zod'
import type { BackendEnvironment, StagedPart } from '../../backends/backend.ts'
import type { ColumnSpec, LakeType } from '../../backends/schema.ts'

export type JsonValue =
  | null
  | boolean
  | number
  | string
  | readonly JsonValue[]
  | { readonly [key: string]: JsonValue }

/** Small enough for a row in Postgres: keys and positions, never rows. */
export type Cursor = JsonValue

/**
 * A row by the source's own column names. Values: null or undefined, boolean, number, bigint, string, Date (a moment,
 * stored as `timestamptz`), Uint8Array, {@link DecimalText}, and for nested values plain arrays and objects of JSON.
 * A column with a declared type may hold the text form of it, as Postgres writes it.
 */
export type Row = Readonly<Record<string, unknown>>

export interface SourceColumn {
  readonly name: string
  /** Null where only the values tell. */
  readonly type: LakeType | null
  readonly nullable: boolean
}

/** A stored parent table by whose rows a nested table is read. */
export interface ParentLink {
  /** The table of the same source. */
  readonly table: string
  /** Columns of the parent that the source needs of each of its rows, by the source's names. */
  readonly columns: readonly string[]
  /** The parent's column that tells when a row changed; null where nothing does, and then all parents are read. */
  readonly recencyColumn: string | null
  /**
   * Parents below which listing them from the source is cheaper than opening the stored table; the source then reads
   * them itself. How it was found is told beside the figure.
   */
  readonly minStoredRows: number
}

export interface IncrementalField {
  readonly name: string
  /**
   * `ascending`: pages come in rising order of the field, so the mark is that of the last page.
   * `descending`: newest first, so the mark is that of the first page and holds only when the whole run is done.
   */
  readonly order: 'ascending' | 'descending'
}

export type PartitionMode = 'md5' | 'numerical' | 'datetime' | 'datetime_md5'

/** How a table may be partitioned; the choice is the pipeline's (`pipeline/extract/partitioning`). */
export interface PartitionHint {
  readonly mode: PartitionMode
  /** The columns that the bucket is computed from, by the source's names. */
  readonly columns: readonly string[]
}

export interface SourceTable {
  readonly name: string
  /** Null for a source whose rows have no declared columns. */
  readonly columns: readonly SourceColumn[] | null
  /** Empty where rows have no key; then a table can be replaced and appended to, but not upserted. */
  readonly primaryKey: readonly string[]
  readonly incremental: readonly IncrementalField[]
  readonly partition: PartitionHint | null
  readonly parent: ParentLink | null
  /** Whether a full read yields each key at most once, whatever happens at the source meanwhile. */
  readonly keysOnce: boolean
  /** Whether a page costs so much (an API with rate limits) that a killed extractor must not read it twice. */
  readonly pagesAreDear: boolean
  readonly estimatedRows: number | null
}

export interface ReadRequest {
  readonly table: SourceTable
  /** Null reads everything. */
  readonly incremental: { readonly field: string; readonly since: JsonValue | null } | null
  /** The cursor of the last page that is safe; null starts at the beginning. */
  readonly resume: Cursor | null
  /** Aborts waiting and requests; the iterator then throws the signal's reason. */
  readonly signal: AbortSignal
  readonly limits: ReadLimits
  /** The rows of the parent, for a table with a parent; null where the source is to list them itself. */
  readonly parents: ParentRows | null
}

export interface ReadLimits {
  /** Bytes of rows that the source may hold before it yields them. A single larger row passes alone. */
  readonly readAheadBytes: number
  /** The most rows of one page. */
  readonly pageRows: number
  /**
   * Of a single row as it comes. A larger one would take all memory that there is, so a source whose rows may be so large
   * refuses it with `ROW_TOO_LARGE` before it holds it, and tells which one it is.
   */
  readonly maxRowBytes: number
}

/** Rows of the stored parent table, in a stable order, from a position on. */
export interface ParentRows {
  /** How many there are to read, after the recency filter. */
  readonly count: number
  /** @param after the key of the last parent that is done, or null */
  read(after: JsonValue | null): AsyncIterable<{ readonly key: JsonValue; readonly row: Row }>
}

export interface Page {
  readonly rows: readonly Row[]
  /** Reading from here yields what follows this page. */
  readonly cursor: Cursor
  /** The high-water mark as of this page, for an incremental read. */
  readonly mark?: JsonValue
  /** The bytes that the rows took on the way here, where the source knows. */
  readonly bytes?: number
  readonly answer?: Answer
}

/**
 * What a page's rows came in, all of them and no others, in their order: JSON of an object that has them in one of its
 * fields. It spares a page that is dear from being written anew when it is kept.
 */
export interface Answer {
  readonly json: Uint8Array
  /** The name of that field. */
  readonly rowsAt: string
}

/** A part that the source staged itself, in place of rows. */
export interface StagedPage {
  readonly part: StagedPart
  /** The columns of the part, which carry the lake's names. */
  readonly columns: readonly ColumnSpec[]
  readonly cursor: Cursor
  readonly mark?: JsonValue
}

/** Where and how a source that stages parts itself is to write them. */
export interface PartTarget {
  readonly environment: BackendEnvironment
  /** A new URI for each call. */
  nextUri(): string
  /** The lake's name of each of the source's columns. */
  readonly columnNames: ReadonlyMap<string, string>
  /** Payload bytes that a part and a row group of it may hold. */
  readonly partPayloadBytes: number
  readonly rowGroupPayloadBytes: number
  readonly partRows: number
}

/**
 * - `user`: a person must change something (a key, a permission, a setting): the sync stops and tells what;
 * - `source`: the other side is busy, limited or away: back off and go on;
 * - `system`: ours: the sync fails with a report.
 */
export type FailureClass = 'user' | 'source' | 'system'

export interface ClassifiedFailure {
  readonly class: FailureClass
  /** Stable and short, such as `rate_limited`. */
  readonly code: string
  /** What a person reads, without secrets and without the source's values. */
  readonly message: string
  /** What to do about it. */
  readonly remedy: string
  /** When the source said how long to wait. */
  readonly retryAfterMs: number | null
}

/** A line of a source's error table: `docs/writing-a-source.md` shows all of them. */
export interface ErrorRule {
  readonly code: string
  readonly class: FailureClass
  readonly matches: (error: unknown) => boolean
  readonly message: (error: unknown) => string
  readonly remedy: string
  readonly retryAfterMs?: (error: unknown) => number | null
  /** Errors that this line is to match, for the contract: they show that no earlier line takes them. */
  readonly examples?: () => readonly unknown[]
}

/** A source with its configuration parsed. Disposing of it closes its connections. */
export interface Source extends AsyncDisposable {
  /** @throws what the error table classifies, usually as `user` */
  checkCredentials(): Promise<void>
  discover(): Promise<readonly SourceTable[]>
  /** Pages in the declared order. Every page moves the cursor, also one without rows. */
  read(request: ReadRequest): AsyncIterable<Page>
  /**
   * Present where a source can stage narrow rows faster than it can hand them over. Null when this table can't be read so
   * (its rows are wide, or its order isn't known), with `read` as the way that always works.
   */
  stageParts?(request: ReadRequest, target: PartTarget): Promise<AsyncIterable<StagedPage> | null>
}

/** What each source folder exports. */
export interface SourceDefinition<Config extends z.ZodType = z.ZodType> {
  readonly name: string
  readonly title: string
  /** Raised with every change of what rows look like; it is part of failure bundles. */
  readonly version: number
  readonly config: Config
  /** Keys of the configuration that hold secrets: never logged, stored or put in a bundle. */
  readonly secretKeys: readonly string[]
  readonly errors: readonly ErrorRule[]
  /**
   * Whether cursors and marks hold only the source's own ids, times and numbers, so that a failure bundle may show them.
   * Without it, a cursor with any other text counts as a customer's value, and lies beside the bundle instead of in it.
   */
  readonly opaqueCursors?: boolean
  open(config: z.output<Config>): Promise<Source>
}

/** A number with more digits than a double holds, as text: `-12.50`. */
export class DecimalText {
  readonly text: string

  constructor(text: string) {
    this.text = text
  }
}
