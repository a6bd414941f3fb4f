import { z } from 'zod'

/** Where a service came from, in the order in which they are tried. */
export const originSchema = z.enum(['configured', 'docker', 'local'])

/** An S3 endpoint that has passed the probe of `platform/services/s3/probe.ts`. */
export const s3EndpointSchema = z.strictObject({
  /** Scheme, host and port, without a path: `http://127.0.0.1:9000`. */
  url: z.url(),
  region: z.string(),
  accessKeyId: z.string(),
  secretAccessKey: z.string(),
  sessionToken: z.string().optional(),
  urlStyle: z.enum(['path', 'vhost']),
  origin: originSchema,
  /** The server's own name and version, as far as it tells. */
  version: z.string(),
  /** Whether a second put with `If-None-Match: *` failed with 412, without which Delta commits overwrite one another. */
  putIfAbsent: z.boolean(),
  /** Prometheus metrics by S3 operation, where the server has them. */
  metricsUrl: z.url().nullable(),
})
export type S3Endpoint = Readonly<z.infer<typeof s3EndpointSchema>>

/** A Postgres server and database that lakeduel may create schemas in. */
export const postgresEndpointSchema = z.strictObject({
  host: z.string(),
  port: z.number().int(),
  user: z.string(),
  password: z.string(),
  database: z.string(),
  sslmode: z.enum(['disable', 'require', 'verify-full']).optional(),
  origin: originSchema,
  version: z.string(),
  /** Whether `pg_stat_statements` can be read, so that calls and WAL are counted per cell. */
  statStatements: z.boolean(),
})
export type PostgresEndpoint = Readonly<z.infer<typeof postgresEndpointSchema>>

/** Where the data files of a run's tables lie. A `local` result is always labelled so. */
export const storageSchema = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('s3'),
    endpoint: s3EndpointSchema,
    bucket: z.string(),
    /** Without a leading slash and with a trailing one, or empty. */
    prefix: z.string(),
  }),
  z.strictObject({ kind: z.literal('local'), root: z.string() }),
])
export type Storage = Readonly<z.infer<typeof storageSchema>>

/** The URI of something under a storage's root: `s3://bucket/prefix…path`, or an absolute file path. */
export function uriOf(storage: Storage, path: string): string {
  return storage.kind === 's3'
    ? `s3://${storage.bucket}/${storage.prefix}${path}`
    : `${storage.root.replace(/\/$/, '')}/${path}`
}

/** The part of a storage that lies below a path, which ends with a slash. */
export function within(storage: Storage, path: string): Storage {
  return storage.kind === 's3'
    ? { ...storage, prefix: `${storage.prefix}${path}` }
    : { kind: 'local', root: uriOf(storage, path) }
}
