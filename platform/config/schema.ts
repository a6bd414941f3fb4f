import { z } from 'zod'

const portSchema = z.coerce.number().int().min(1).max(65535)

const s3ConfigSchema = z.strictObject({
  /** Scheme, host and port. Without it and without a bucket, lakeduel starts an object store of its own. */
  endpoint: z.url({ protocol: /^https?$/ }).optional(),
  region: z.string().min(1).default('us-east-1'),
  accessKeyId: z.string().min(1).optional(),
  secretAccessKey: z.string().min(1).optional(),
  sessionToken: z.string().min(1).optional(),
  /** An existing bucket to use; without one, a bucket is made for each run and removed after it. */
  bucket: z.string().min(3).max(63).optional(),
  /** Put before the run's own prefix in the bucket. */
  prefix: z.string().default(''),
  /** Default: `vhost` on AWS, `path` elsewhere. */
  urlStyle: z.enum(['path', 'vhost']).optional(),
  /** Port for a local MinIO; without one, any free port. */
  port: portSchema.optional(),
})

const postgresConfigSchema = z.strictObject({
  /** `postgresql://user:password@host:port/database?sslmode=…`; the fields below override its parts. */
  url: z.url({ protocol: /^postgres(ql)?$/ }).optional(),
  host: z.string().min(1).optional(),
  /** Of the configured server; with no server configured, of the local one that lakeduel starts. */
  port: portSchema.optional(),
  user: z.string().min(1).optional(),
  password: z.string().optional(),
  database: z.string().min(1).optional(),
  sslmode: z.enum(['disable', 'require', 'verify-full']).optional(),
})

const versionSchema = z
  .string()
  .regex(/^\d+(\.\d+)*((a|b|rc)\d+)?$/, 'a version is numbers with dots, such as 1.6.6')
  .optional()

/** Every setting of lakeduel's surroundings. `docs` of a key are its comment here. */
export const configSchema = z.strictObject({
  /** The folder for all that lakeduel makes; see `platform/home.ts`. */
  home: z.string().min(1).optional(),
  /** `local` puts both formats on a directory instead of an object store; results are labelled so. */
  storage: z.enum(['s3', 'local']).default('s3'),
  /** The directory for `storage: local`; default: below `home`. */
  localRoot: z.string().min(1).optional(),
  /** Whether services may run in Docker when an engine answers. */
  docker: z.enum(['auto', 'never']).default('auto'),
  /** The HTTP interface of a Toxiproxy that runs; without it, lakeduel starts one where a network profile needs it. */
  toxiproxy: z.url({ protocol: /^http$/ }).optional(),
  /** Versions of the sidecar's engines in place of the locked ones, in an environment of their own. */
  engines: z.strictObject({ deltalake: versionSchema, deltalite: versionSchema }).prefault({}),
  s3: s3ConfigSchema.prefault({}),
  postgres: postgresConfigSchema.prefault({}),
})

export type ConfigInput = z.input<typeof configSchema>
export type ParsedConfig = z.infer<typeof configSchema>
