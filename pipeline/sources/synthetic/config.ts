import { z } from 'zod'

/** What a column may hold; `unicode` is text of many scripts, quotes and control characters. */
export const COLUMN_KINDS = [
  'int32',
  'int64',
  'decimal',
  'float64',
  'bool',
  'date',
  'timestamp',
  'timestamptz',
  'string',
  'unicode',
  'json',
  'binary',
] as const
const columnKindSchema = z.enum(COLUMN_KINDS)
export type ColumnKind = z.infer<typeof columnKindSchema>

const shareSchema = z.number().min(0).max(1)
const rowNumberSchema = z.int().nonnegative()

/** What changes at a row number, counted from 0 in the order of the row numbers. */
const driftSchema = z.union([
  /** A column `added_<index in drift>` appears. */
  z.strictObject({ atRow: rowNumberSchema, add: columnKindSchema }),
  /** The column's values are of another kind. */
  z.strictObject({ atRow: rowNumberSchema, column: z.string(), to: columnKindSchema }),
  /** The column is missing. */
  z.strictObject({ atRow: rowNumberSchema, drop: z.string() }),
])
export type Drift = Readonly<z.infer<typeof driftSchema>>

const failureSchema = z.strictObject({
  /** From 1, counted from the beginning of the table and not of the read. */
  page: z.int().positive(),
  class: z.enum(['user', 'source', 'system']),
  /** How often in one process, before the page is read after all. */
  times: z.int().positive().default(1),
  retryAfterMs: z.int().nonnegative().optional(),
})

const tableSchema = z.strictObject({
  name: z.string().min(1),
  rows: z.int().nonnegative(),
  /** Besides `id`, `created_at` and `updated_at`; named `<kind>_<place>`, from 1. */
  columns: z.array(columnKindSchema).default([...COLUMN_KINDS]),
  /** The share of nulls in those columns. */
  nulls: shareSchema.default(0.1),
  /** Bytes of one more column `payload` of text; 0 leaves it out. */
  widthBytes: z.int().nonnegative().default(0),
  keyOrder: z.enum(['ascending', 'descending', 'shuffled']).default('ascending'),
  /** The share of rows that have the key of an earlier one. */
  duplicates: shareSchema.default(0),
  /** The share of rows whose key is null. */
  nullKeys: shareSchema.default(0),
  /** In which order an incremental read on `updated_at` yields. */
  incremental: z.enum(['ascending', 'descending', 'none']).default('ascending'),
  /** Each revision changes a tenth of the rows, and their `updated_at`, 30 days on. */
  revisions: z.int().min(0).max(100).default(0),
  pageRows: z.int().positive().default(1_000),
  pagesAreDear: z.boolean().default(false),
  /** Whether discovery tells the columns. They are told as they are before any drift. */
  declared: z.boolean().default(true),
  /** What each page takes. */
  delayMs: z.int().nonnegative().default(0),
  failures: z.array(failureSchema).default([]),
  drift: z.array(driftSchema).default([]),
})
export type SyntheticTable = Readonly<z.infer<typeof tableSchema>>

export const configSchema = z.strictObject({
  seed: z.int().nonnegative().default(1),
  /** Stands for a credential: whatever isn't `correct` is refused. */
  password: z.string().default('correct'),
  tables: z
    .array(tableSchema)
    .min(1)
    .default(() => [tableSchema.parse({ name: 'events', rows: 1_000 })]),
})
export type SyntheticConfig = Readonly<z.infer<typeof configSchema>>
