import { randomBytes } from 'node:crypto'
import { chown, mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { execa } from 'execa'
import pg from 'pg'
import { redactText } from '../../config/redact.ts'
import { LakeduelError } from '../../errors.ts'
import { choosePort, LOOPBACK } from '../ports.ts'
import { startServer } from '../server-process.ts'
import type { PostgresServer } from '../server-schemas.ts'
import type { Started } from '../started.ts'
import { type AsUser, commandAs, type PostgresBinaries, postgresBinaries, serverUser } from './binaries.ts'
import { DATABASE, SERVER_SETTINGS, USER } from './settings.ts'

export interface LocalPostgresOptions {
  readonly runDir: string
  readonly port: number | null
  readonly signal: AbortSignal
}

/** A Postgres of our own, on loopback only, with its data below `runDir`. It takes 1 to 4 s, nearly all of it initdb. */
export async function startLocalPostgres(options: LocalPostgresOptions): Promise<Started<PostgresServer>> {
  const { runDir, signal } = options
  const port = await choosePort(options.port, 'Postgres')
  const binaries = await postgresBinaries()
  const user = await serverUser()
  const password = randomBytes(20).toString('hex')
  const data = join(runDir, 'postgres')
  await initialise(binaries, { data, password, user, signal })
  const server: PostgresServer = {
    host: LOOPBACK,
    port,
    user: USER,
    password,
    database: 'postgres',
    origin: 'local',
  }
  const started = await startServer({
    ...(await commandAs(user, binaries.postgres, ['-D', data, '-p', String(port), ...settings()])),
    env: { LC_ALL: 'C' },
    logFile: join(runDir, 'postgres.log'),
    isReady: () => accepts(server),
    readyTimeoutMs: 30_000,
    // Immediate shutdown: the data is thrown away.
    stopSignal: 'SIGQUIT',
    signal,
  })
  await createDatabase(server)
  return { server: { ...server, database: DATABASE }, stop: started.stop }
}

function settings(): readonly string[] {
  // No Unix socket: it would lie in a shared folder and outlive a killed server.
  const all = [
    ...SERVER_SETTINGS,
    `listen_addresses=${LOOPBACK}`,
    'unix_socket_directories=',
    'logging_collector=off',
  ]
  return all.flatMap((setting) => ['-c', setting])
}

interface Cluster {
  readonly data: string
  readonly password: string
  readonly user: AsUser | null
  readonly signal: AbortSignal
}

async function initialise(
  binaries: PostgresBinaries,
  { data, password, user, signal }: Cluster,
): Promise<void> {
  const passwordFile = `${data}.password`
  await mkdir(data, { mode: 0o700 })
  await writeFile(passwordFile, password, { mode: 0o600 })
  if (user !== null) await Promise.all([data, passwordFile].map((path) => chown(path, user.uid, user.gid)))
  const flags = [
    '--auth=scram-sha-256',
    '--encoding=UTF8',
    '--locale=C',
    '--lc-messages=C',
    '--no-instructions',
  ]
  const { program, args, ...runAs } = await commandAs(user, binaries.initdb, [
    `--pgdata=${data}`,
    `--username=${USER}`,
    `--pwfile=${passwordFile}`,
    ...flags,
  ])
  try {
    await execa(program, args, { env: { LC_ALL: 'C' }, cancelSignal: signal, cwd: '/', ...runAs })
  } catch (error) {
    signal.throwIfAborted()
    throw initdbFailed(error)
  } finally {
    await rm(passwordFile, { force: true })
  }
}

function initdbFailed(cause: unknown): LakeduelError {
  const told = redactText(cause instanceof Error ? cause.message : String(cause))
  return new LakeduelError('SETUP_FAILED', `initdb of the local Postgres failed: ${told}`, {
    remedy: 'Set LAKEDUEL_POSTGRES to a server of yours, or start Docker, or correct what initdb names.',
    cause,
  })
}

async function accepts(server: PostgresServer): Promise<boolean> {
  const client = new pg.Client({ ...server, connectionTimeoutMillis: 1_000 })
  client.on('error', () => undefined)
  return client.connect().then(
    () => client.end().then(() => true),
    () => false,
  )
}

async function createDatabase(server: PostgresServer): Promise<void> {
  const client = new pg.Client(server)
  await client.connect()
  try {
    await client.query(`CREATE DATABASE ${client.escapeIdentifier(DATABASE)}`)
  } finally {
    await client.end()
  }
}
