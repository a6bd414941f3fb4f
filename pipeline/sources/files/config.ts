import { z } from 'zod'

const signSchema = z.string().regex(/^[\x20-\x7e\t]$/, 'one ASCII character')

export const configSchema = z
  .strictObject({
    /** A file, a folder, a glob (`data/**\/*.csv`), or `s3://bucket/prefix`, which may end in a glob, too. */
    location: z.string().min(1),
    /** Default: the name of the last file or folder in `location`. */
    table: z.string().min(1).optional(),
    /** `auto` goes by the endings: .parquet, .ndjson, .jsonl, .json, .csv, .tsv, and the texts also with .gz. */
    format: z.enum(['auto', 'parquet', 'ndjson', 'csv']).default('auto'),
    /** Default: `_file` and `_row`, where `fileColumns` is on. */
    primaryKey: z.array(z.string()).optional(),
    /** Adds `_file`, `_file_modified_at` and `_row`; an incremental sync needs them. */
    fileColumns: z.boolean().default(true),
    /** A file that shows up late is still found when it is no older than this, compared with the newest one that was read. */
    lookbackHours: z.number().nonnegative().default(24),
    /** A larger row ends the sync; also what a vector of rows in a Parquet file may hold. */
    maxRowBytes: z
      .int()
      .positive()
      .max(500 * 1024 * 1024)
      .default(256 * 1024 * 1024),
    /** Of CSV; default: the one that the first line has most of. */
    delimiter: signSchema.optional(),
    quote: signSchema.default('"'),
    /** Whether the first line of a CSV file has the names of its columns. */
    header: z.boolean().default(true),
    /** Whether the first lines of CSV tell the types of its columns, or all are text. */
    csvTypes: z.enum(['infer', 'text']).default('infer'),
    /** Of S3: scheme, host and port; default: AWS in `region`. */
    endpoint: z.url({ protocol: /^https?$/ }).optional(),
    region: z.string().min(1).default('us-east-1'),
    accessKeyId: z.string().min(1).optional(),
    secretAccessKey: z.string().min(1).optional(),
    sessionToken: z.string().min(1).optional(),
    /** Default: `vhost` on AWS, `path` elsewhere. */
    urlStyle: z.enum(['path', 'vhost']).optional(),
  })
  .superRefine(({ location, accessKeyId, secretAccessKey }, context) => {
    if (!location.startsWith('s3://')) return
    for (const [key, value] of Object.entries({ accessKeyId, secretAccessKey })) {
      if (value === undefined)
        context.addIssue({ code: 'custom', path: [key], message: 'an s3:// location needs it' })
    }
  })
export type FilesConfig = Readonly<z.infer<typeof configSchema>>
export type FileFormat = Exclude<FilesConfig['format'], 'auto'>
