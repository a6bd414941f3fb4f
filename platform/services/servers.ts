import { randomBytes } from 'node:crypto'
import type { Config } from '../config/load.ts'
import { LakeduelError } from '../errors.ts'
import { ensureMinio } from '../setup/setup.ts'
import { dockerAnswers } from './docker.ts'
import { type HeldServices, readHeldServices } from './held.ts'
import { type Keeper, startKeeper } from './keeper-process.ts'
import { runFolder, sweepStaleRuns } from './run-folders.ts'
import type { KeptServers, PostgresServer, S3Server } from './server-schemas.ts'

export interface StartOptions {
  readonly signal?: AbortSignal | undefined
  /** Gets what is being done, for progress. */
  readonly report?: ((text: string) => void) | undefined
  /** Leaves the run's bucket, prefix or directory when the services are disposed of. */
  readonly keep?: boolean
}

export interface Servers {
  readonly s3: S3Server | null
  readonly postgres: PostgresServer
  readonly stop: () => Promise<void>
}

/** Which services the configuration leaves to lakeduel. */
export interface Missing {
  readonly s3: boolean
  readonly postgres: boolean
}

export function missingServices(config: Config): Missing {
  return { s3: config.storage === 's3' && config.s3 === null, postgres: config.postgres === null }
}

/** Whether set-up must provide a MinIO binary: one is needed, none is held, and no Docker engine answers. */
export async function needsLocalMinio(config: Config): Promise<boolean> {
  if (!missingServices(config).s3) return false
  const held = await readHeldServices(config.home)
  return !held?.servers.s3 && !(await mayUseDocker(config))
}

/** The servers of a run: those configured, else those held by `services up`, else new ones. */
export async function obtainServers(config: Config, options: StartOptions): Promise<Servers> {
  await sweepStaleRuns(config.home)
  const held = await readHeldServices(config.home)
  const given = {
    s3: configuredS3Server(config) ?? heldS3(config, held),
    postgres: configuredPostgresServer(config) ?? heldPostgres(config, held),
  }
  const wanted = missingServices(config)
  const missing = { s3: wanted.s3 && given.s3 === null, postgres: given.postgres === null }
  if (options.keep === true && (missing.s3 || missing.postgres)) throw nothingToKeepIn()
  const keeper = missing.s3 || missing.postgres ? await startMissing(config, missing, options) : null
  const postgres = given.postgres ?? keeper?.servers.postgres
  if (!postgres) throw new Error('The keeper was asked for Postgres and answered without it')
  return { s3: given.s3 ?? keeper?.servers.s3 ?? null, postgres, stop: async () => keeper?.stop() }
}

/** Starts what is missing, in Docker or locally. */
export async function startMissing(
  config: Config,
  missing: Missing,
  { signal, report = () => undefined }: StartOptions,
  hold = false,
): Promise<Keeper> {
  const docker = await mayUseDocker(config)
  const minio = missing.s3 && !docker ? await ensureMinio(config.home, signal) : null
  const name = `services-${randomBytes(4).toString('hex')}`
  const runDir = runFolder(config.home, name)
  const request = {
    home: config.home,
    name,
    docker,
    s3: missing.s3 ? { minio, port: config.ports.s3 } : null,
    postgres: missing.postgres ? { port: config.ports.postgres } : null,
    toxiproxy: null,
    hold,
  }
  return startKeeper(request, runDir, { signal, report })
}

function nothingToKeepIn(): LakeduelError {
  return new LakeduelError(
    'USAGE',
    'Services that are started for one run end with it, and its tables with them.',
    {
      remedy:
        'Run `lakeduel services up` first, or configure an S3 endpoint and a Postgres; then --keep keeps the tables there.',
    },
  )
}

async function mayUseDocker({ docker }: Config): Promise<boolean> {
  return docker === 'auto' && (await dockerAnswers())
}

function configuredS3Server({ s3 }: Config): S3Server | null {
  if (s3 === null) return null
  const { bucket: _bucket, prefix: _prefix, sessionToken, ...access } = s3
  return {
    ...access,
    ...(sessionToken === null ? {} : { sessionToken }),
    origin: 'configured',
    version: null,
  }
}

function configuredPostgresServer({ postgres }: Config): PostgresServer | null {
  if (postgres === null) return null
  const { sslmode, ...access } = postgres
  return { ...access, ...(sslmode === null ? {} : { sslmode }), origin: 'configured' }
}

/** A wished port that isn't the held server's asks for another server. */
function heldS3({ storage, ports }: Config, held: HeldServices | null): KeptServers['s3'] {
  const s3 = held?.servers.s3 ?? null
  if (s3 === null || storage === 'local') return null
  return ports.s3 === null || ports.s3 === Number(new URL(s3.url).port) ? s3 : null
}

function heldPostgres({ ports }: Config, held: HeldServices | null): KeptServers['postgres'] {
  const postgres = held?.servers.postgres ?? null
  return postgres !== null && (ports.postgres === null || ports.postgres === postgres.port) ? postgres : null
}
