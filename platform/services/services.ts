import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { S3Client } from '@aws-sdk/client-s3'
import type { Config } from '../config/load.ts'
import { withDiskFullError } from '../disk.ts'
import type { PostgresEndpoint, Storage } from '../endpoints.ts'
import { Teardown } from '../teardown.ts'
import { probePostgres } from './postgres/probe.ts'
import { openRunBucket } from './s3/bucket.ts'
import { s3Client } from './s3/client.ts'
import { probeS3 } from './s3/probe.ts'
import type { S3Server } from './server-schemas.ts'
import { obtainServers, type StartOptions } from './servers.ts'

export interface ServicesOptions extends StartOptions {
  /** Lower-case letters, digits and hyphens: it names the run's bucket or prefix. */
  readonly runId: string
}

/** What is said of the services in results and on screen; no secrets. */
export interface ServicesDescription {
  readonly storage: Readonly<Record<string, unknown>>
  readonly postgres: Readonly<Record<string, unknown>>
}

/** The services of one run. Disposing of them removes the run's bucket or prefix, and ends what was started for it. */
export interface Services extends AsyncDisposable {
  readonly storage: Storage
  readonly postgres: PostgresEndpoint
  describe(): ServicesDescription
}

const RUN_ID = /^[a-z0-9][a-z0-9-]{0,53}$/

/**
 * Finds or starts an object store (or makes a directory) and a Postgres, and probes both.
 * @throws LakeduelError of what could not be had, or the reason of the signal; nothing is left behind then
 */
export async function startServices(config: Config, options: ServicesOptions): Promise<Services> {
  if (!RUN_ID.test(options.runId))
    throw new RangeError(`'${options.runId}' cannot name a bucket: it must match ${RUN_ID}`)
  const teardown = new Teardown()
  try {
    const servers = await obtainServers(config, options)
    teardown.defer(servers.stop)
    options.signal?.throwIfAborted()
    const postgres = await probePostgres(servers.postgres)
    const storage =
      servers.s3 === null
        ? await makeDirectory(config, options, teardown)
        : await openS3(servers.s3, config, options, teardown)
    options.signal?.throwIfAborted()
    return {
      storage,
      postgres,
      describe: () => describe(storage, postgres),
      [Symbol.asyncDispose]: () => teardown[Symbol.asyncDispose](),
    }
  } catch (error) {
    await teardown[Symbol.asyncDispose]()
    throw error
  }
}

async function openS3(
  server: S3Server,
  config: Config,
  { runId, keep = false, report }: ServicesOptions,
  teardown: Teardown,
): Promise<Storage> {
  report?.(`probing the object store at ${server.url}`)
  const client: S3Client = s3Client(server)
  teardown.defer(() => Promise.resolve(client.destroy()))
  const run = await openRunBucket(client, server, runId, config.s3)
  if (!keep) teardown.defer(run.remove)
  const endpoint = await probeS3(client, server, run)
  return { kind: 's3', endpoint, bucket: run.bucket, prefix: run.prefix }
}

async function makeDirectory(
  { localRoot }: Config,
  { runId, keep = false }: ServicesOptions,
  teardown: Teardown,
): Promise<Storage> {
  const root = join(localRoot, `lakeduel-${runId}`)
  await withDiskFullError(localRoot, () => mkdir(root, { recursive: true }))
  if (!keep) teardown.defer(() => rm(root, { recursive: true, force: true }))
  return { kind: 'local', root }
}

function describe(storage: Storage, postgres: PostgresEndpoint): ServicesDescription {
  const { origin, version, statStatements, host, port } = postgres
  return {
    storage: storage.kind === 'local' ? storage : describeS3(storage),
    postgres: { origin, version, statStatements, host, port },
  }
}

function describeS3({
  kind,
  endpoint,
  bucket,
  prefix,
}: Extract<Storage, { kind: 's3' }>): Readonly<Record<string, unknown>> {
  const { url, region, origin, version, putIfAbsent, metricsUrl } = endpoint
  return { kind, url, region, origin, version, putIfAbsent, metricsUrl, bucket, prefix }
}
