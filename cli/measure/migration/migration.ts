import { mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Storage } from '../../../platform/endpoints.ts'
import { LakeduelError } from '../../../platform/errors.ts'
import { classifyExit } from '../../../platform/pods/exit.ts'
import { createPod } from '../../../platform/pods/mechanism.ts'
import { openS3Meter } from '../../../scenarios/measure/s3-requests.ts'
import { lakeduelCommand, MeasureServices, measureDatabase } from '../services.ts'
import { copyByDuckDb } from './copy.ts'
import { makeDeltaTable, type TableShape } from './made-table.ts'

export interface MigrationRequest {
  readonly shape: TableShape
  readonly maxMemoryBytes: number
  readonly repetitions: number
}

export interface MigrationResult {
  readonly mode: 'register' | 'rewrite'
  readonly wallMs: number
  readonly cpuSeconds: number | null
  /** Of the pod, page cache included; null where pods are not measured. */
  readonly peakBytes: number | null
  /** Null where they can't be counted. */
  readonly s3Requests: number | null
  /** What DuckDB alone takes to copy the same files, of a rewrite. */
  readonly copyMs: number | null
}

/** What a migration takes: small files that are registered, or large ones that are rewritten, by turns with DuckDB's own COPY. */
export async function measureMigration(
  { shape, maxMemoryBytes, repetitions }: MigrationRequest,
  signal: AbortSignal,
): Promise<readonly MigrationResult[]> {
  await using services = await MeasureServices.start(signal)
  const storage = below(services.storage, 'delta/')
  const folder = await mkdtemp(join(services.folder, 'delta-'))
  process.stderr.write('making the Delta table\n')
  const uri = await makeDeltaTable(shape, { python: services.python, folder, storage })
  await rm(folder, { recursive: true })
  const mode = 'files' in shape ? 'register' : 'rewrite'
  const results: MigrationResult[] = []
  for (let repetition = 0; repetition < repetitions; repetition += 1) {
    const database = measureDatabase(`migration_${repetition}`)
    const moved = await migrate(services, { uri, mode, database, maxMemoryBytes })
    const copyMs =
      mode === 'register'
        ? null
        : await copyByDuckDb(services, { uri, maxMemoryBytes, to: `copy-${repetition}` })
    const result = { mode, ...moved, copyMs } as const
    process.stderr.write(`${JSON.stringify(result)}\n`)
    results.push(result)
  }
  return results
}

interface Move {
  readonly uri: string
  readonly mode: MigrationResult['mode']
  readonly database: string
  readonly maxMemoryBytes: number
}

/** The command itself, in a pod of the memory that it may take, into a catalog of its own. */
async function migrate(
  services: MeasureServices,
  { uri, mode, database, maxMemoryBytes }: Move,
): Promise<Omit<MigrationResult, 'mode' | 'copyMs'>> {
  const { endpoint, bucket, prefix } = services.storage
  const { host, port, user, password } = services.postgres
  await services.create(database)
  await using meter = await openS3Meter(services.storage)
  await using pod = await createPod({ name: 'migration', memoryCapBytes: maxMemoryBytes })
  const dsn = `ducklake:postgres:dbname=${database} host=${host} port=${port} user=${user} password=${password}`
  const data = `s3://${bucket}/${prefix}${database}/`
  const target = ['--to', dsn, '--table', 'moved', '--data-path', data, '--mode', mode]
  const limits = ['--max-memory', `${maxMemoryBytes}B`, '--no-verify', '--json']
  const { file, args } = lakeduelCommand(['migrate', 'run', uri, ...target, ...limits])
  const env = {
    LAKEDUEL_S3_ENDPOINT: endpoint.url,
    LAKEDUEL_S3_ACCESS_KEY_ID: endpoint.accessKeyId,
    LAKEDUEL_S3_SECRET_ACCESS_KEY: endpoint.secretAccessKey,
  }
  const counted = await meter.start()
  const startedAt = performance.now()
  const end = await pod.spawn(file, args, { env })
  const wallMs = performance.now() - startedAt
  const usage = await counted()
  if (end.exitCode !== 0) {
    const { status } = classifyExit(pod, end)
    throw new LakeduelError('ENGINE_FAILED', `The migration ended (${status}): ${end.stderr.slice(-3_000)}`)
  }
  return {
    wallMs,
    cpuSeconds: pod.cpuSeconds(),
    peakBytes: pod.usage()?.peakBytes ?? null,
    s3Requests: usage.status === 'measured' ? usage.requests : null,
  }
}

function below<S extends Extract<Storage, { kind: 's3' }>>(storage: S, folder: string): S {
  return { ...storage, prefix: `${storage.prefix}${folder}` }
}
