import { z } from 'zod'
import { originSchema, postgresEndpointSchema } from '../endpoints.ts'

/** An object store that answers and is not probed yet. */
export const s3ServerSchema = z.strictObject({
  url: z.url(),
  region: z.string(),
  accessKeyId: z.string(),
  secretAccessKey: z.string(),
  sessionToken: z.string().optional(),
  urlStyle: z.enum(['path', 'vhost']),
  origin: originSchema,
  /** Null when only the server itself can tell. */
  version: z.string().nullable(),
})
export type S3Server = Readonly<z.infer<typeof s3ServerSchema>>

export const postgresServerSchema = postgresEndpointSchema.omit({ version: true, statStatements: true })
export type PostgresServer = Readonly<z.infer<typeof postgresServerSchema>>

/** A Toxiproxy whose interface answers. */
export const toxiproxyServerSchema = z.strictObject({
  /** Of its HTTP interface: scheme, host and port. The proxies that it makes listen on the same host. */
  apiUrl: z.url(),
  origin: originSchema,
  version: z.string(),
})
export type ToxiproxyServer = Readonly<z.infer<typeof toxiproxyServerSchema>>

/** What a keeper is asked to start; it comes over the channel between the two processes, and null means that the service isn't wanted. */
export const keeperRequestSchema = z.strictObject({
  home: z.string(),
  /** Names the keeper's folder below `home/run`. */
  name: z.string(),
  docker: z.boolean(),
  s3: z.strictObject({ minio: z.string().nullable(), port: z.int().nullable() }).nullable(),
  postgres: z.strictObject({ port: z.int().nullable() }).nullable(),
  toxiproxy: z.strictObject({ binary: z.string().nullable() }).nullable(),
  /** Whether to stay when the channel closes, until SIGTERM. */
  hold: z.boolean(),
})
export type KeeperRequest = Readonly<z.infer<typeof keeperRequestSchema>>

export const keptServersSchema = z.strictObject({
  s3: s3ServerSchema.nullable(),
  postgres: postgresServerSchema.nullable(),
  toxiproxy: toxiproxyServerSchema.nullable(),
})
export type KeptServers = Readonly<z.infer<typeof keptServersSchema>>

/** What a keeper answers: progress, then one of the others. */
export const keeperReplySchema = z.discriminatedUnion('status', [
  z.strictObject({ status: z.literal('progress'), text: z.string() }),
  z.strictObject({ status: z.literal('ready'), servers: keptServersSchema }),
  z.strictObject({
    status: z.literal('failed'),
    code: z.string(),
    message: z.string(),
    facts: z.record(z.string(), z.unknown()),
    remedy: z.string().optional(),
  }),
])
export type KeeperReply = Readonly<z.infer<typeof keeperReplySchema>>
