import { z } from 'zod'

const sslmodeSchema = z.enum(['disable', 'require', 'verify-full'])

const fetchSchema = z.strictObject({
  /** The most rows of one FETCH; they adapt to the width of the rows below it. */
  rows: z.int().positive().default(50_000),
  /**
   * Bytes of rows in memory at which a page is handed over. Larger pages aren't read faster, and what V8 leaves lying
   * about grows with them.
   */
  pageBytes: z
    .int()
    .positive()
    .default(8 * 1024 * 1024),
  /**
   * How long one transaction lasts where the order has an index, so that a long read neither holds back VACUUM nor makes
   * an ALTER TABLE wait (and everyone behind it).
   */
  transactionSeconds: z.int().positive().default(60),
  /** `rows` never lets DuckDB stage narrow tables. */
  path: z.enum(['auto', 'rows']).default('auto'),
})

const inputSchema = z.strictObject({
  /** `postgresql://user:password@host:port/database?sslmode=…`; the fields below override its parts. */
  url: z.url({ protocol: /^postgres(ql)?$/ }).optional(),
  host: z.string().min(1).optional(),
  port: z.coerce.number().int().min(1).max(65535).optional(),
  user: z.string().min(1).optional(),
  password: z.string().optional(),
  database: z.string().min(1).optional(),
  /** As in libpq: `require` encrypts, `verify-full` also checks the certificate and its host name. */
  sslmode: sslmodeSchema.optional(),
  /** A PEM file of the authorities that `verify-full` trusts; the system's without it. */
  caFile: z.string().min(1).optional(),
  schemas: z.array(z.string().min(1)).min(1).default(['public']),
  /** The tables to offer, by the names that `discover` gives them; all of the schemas without it. */
  tables: z.array(z.string().min(1)).min(1).optional(),
  /** The key of a table or view that declares none, by its name: columns whose values occur once and are never NULL. */
  keys: z.record(z.string(), z.array(z.string()).min(1)).default({}),
  /** Columns to leave out, by table. */
  excludeColumns: z.record(z.string(), z.array(z.string())).default({}),
  /** Ends a statement of ours that takes longer; what the server says without it. */
  statementTimeoutMs: z.int().positive().optional(),
  fetch: fetchSchema.prefault({}),
})

/** Where the server is, how to read it, and what of it. */
export const postgresConfigSchema = inputSchema.transform((input, context) => {
  const { url: text, ...rest } = input
  const url = text === undefined ? null : new URL(text)
  if (url === null && input.host === undefined) {
    context.addIssue('a Postgres source needs `url` or `host`')
    return z.NEVER
  }
  const mode = sslmodeSchema.safeParse(input.sslmode ?? url?.searchParams.get('sslmode') ?? 'disable')
  if (!mode.success) {
    context.addIssue(`sslmode in the url must be one of ${sslmodeSchema.options.join(', ')}`)
    return z.NEVER
  }
  const user = input.user ?? (decodeURIComponent(url?.username ?? '') || 'postgres')
  return {
    ...rest,
    host: input.host ?? (url?.hostname.replace(/^\[|\]$/g, '') || '127.0.0.1'),
    port: input.port ?? Number(url?.port || 5432),
    user,
    password: input.password ?? decodeURIComponent(url?.password ?? ''),
    database: input.database ?? (decodeURIComponent(url?.pathname.slice(1) ?? '') || user),
    sslmode: mode.data,
  }
})
export type PostgresConfig = Readonly<z.output<typeof postgresConfigSchema>>
