import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { execa } from 'execa'
import { z } from 'zod'
import type { Arm } from '../../backends/backend.ts'
import { createPod } from '../../platform/pods/mechanism.ts'
import { withPostgres } from '../../platform/services/postgres/client.ts'
import { makeNarrowTable } from '../../scenarios/import/narrow-table.ts'
import { MeasureServices, measureDatabase } from './services.ts'
import { type Synced, sync } from './syncing.ts'

export interface NarrowRowsRequest {
  readonly rows: number
  readonly arms: readonly Arm[]
  readonly repetitions: number
  /** A Python that dlt and connectorx are installed for, or null to leave them out. */
  readonly dltPython: string | null
}

export interface NarrowRowsResult {
  readonly what: string
  readonly repetition: number
  readonly rows: number
  readonly wallMs: number
  readonly rowsPerSecond: number
  /** The highest use of all of its processes together, page cache included. */
  readonly peakBytes: number | null
}

const DATABASE = measureDatabase('narrow')

/** A table of narrow rows from Postgres into each format, and side by side with dlt, by turns. */
export async function measureNarrowRows(
  request: NarrowRowsRequest,
  signal: AbortSignal,
): Promise<readonly NarrowRowsResult[]> {
  await using services = await MeasureServices.start(signal)
  const env = await services.variables(DATABASE)
  await withPostgres({ ...services.postgres, database: DATABASE }, (client) =>
    makeNarrowTable(client, request.rows, (done) => tell(`${done} rows of ${request.rows} are made`)),
  )
  const results: NarrowRowsResult[] = []
  for (let repetition = 0; repetition < request.repetitions; repetition += 1) {
    for (const arm of request.arms) {
      const synced = await syncNarrow(services, env, arm, repetition)
      results.push(resultOf(arm, repetition, request.rows, synced.wallMs, peakOf(synced)))
    }
    if (request.dltPython !== null) {
      const { wallMs, peakBytes } = await loadWithDlt(services, request.dltPython, repetition)
      results.push(resultOf('dlt, connectorx, delta', repetition, request.rows, wallMs, peakBytes))
    }
  }
  return results
}

function syncNarrow(
  services: MeasureServices,
  env: Readonly<Record<string, string>>,
  arm: Arm,
  repetition: number,
): Promise<Synced> {
  const target = ['--to', arm, '--as', `narrow_${repetition}`, '--partition', 'none']
  const source = [...services.postgresSource(DATABASE), '--table', 'narrow', '--mode', 'full-refresh']
  return sync([...source, ...target, '--extractor-memory', '512MiB', '--loader-memory', '768MiB'], env)
}

function peakOf({ extractorPeakBytes, loaderPeakBytes }: Synced): number | null {
  return extractorPeakBytes === null || loaderPeakBytes === null ? null : extractorPeakBytes + loaderPeakBytes
}

function resultOf(
  what: string,
  repetition: number,
  rows: number,
  wallMs: number,
  peakBytes: number | null,
): NarrowRowsResult {
  const result = { what, repetition, rows, wallMs, rowsPerSecond: (rows / wallMs) * 1_000, peakBytes }
  tell(JSON.stringify(result))
  return result
}

const DLT = `
import json, os, sys, time
started = time.perf_counter()
import dlt
from dlt.sources.sql_database import sql_table
request = json.load(sys.stdin)
pipeline = dlt.pipeline(request["name"], pipelines_dir=request["folder"], dataset_name=request["name"],
                        destination=dlt.destinations.filesystem(bucket_url=request["bucket"], credentials=request["credentials"]))
table = sql_table(credentials=request["postgres"], table="narrow", backend="connectorx", reflection_level="full_with_precision")
pipeline.run(table, table_format="delta", loader_file_format="parquet", write_disposition="replace")
print(json.dumps({"wallMs": (time.perf_counter() - started) * 1000}))
`

/** dlt as its documentation has it for speed: connectorx reads, delta-rs writes. Its imports count as our start does. */
async function loadWithDlt(services: MeasureServices, python: string, repetition: number) {
  const script = join(services.folder, 'with_dlt.py')
  await writeFile(script, DLT)
  const { host, port, user, password } = services.postgres
  const { endpoint, bucket, prefix } = services.storage
  const request = {
    name: `dlt_narrow_${repetition}`,
    folder: services.folder,
    bucket: `s3://${bucket}/${prefix}dlt`,
    credentials: {
      aws_access_key_id: endpoint.accessKeyId,
      aws_secret_access_key: endpoint.secretAccessKey,
      endpoint_url: endpoint.url,
      region_name: endpoint.region,
    },
    postgres: `postgresql://${user}:${password}@${host}:${port}/${DATABASE}`,
  }
  await using pod = await createPod({ name: 'dlt', memoryCapBytes: null })
  const startedAt = performance.now()
  const child = pod.spawn(python, [script])
  child.stdin.end(JSON.stringify(request))
  const { exitCode, stdout, stderr } = await child
  const wallMs = performance.now() - startedAt
  if (exitCode !== 0) throw new Error(`dlt failed: ${stderr.slice(-3_000)}`)
  z.object({ wallMs: z.number() }).parse(JSON.parse(stdout.slice(stdout.lastIndexOf('{'))))
  return { wallMs, peakBytes: pod.usage()?.peakBytes ?? null }
}

/** Versions of what dlt runs on, for the record. */
export async function dltVersions(python: string): Promise<string> {
  const { stdout } = await execa(python, ['-m', 'pip', 'list', '--format', 'freeze'])
  return stdout
    .split('\n')
    .filter((line) => /^(?:dlt|connectorx|deltalake|pyarrow)==/.test(line))
    .join(', ')
}

function tell(text: string): void {
  process.stderr.write(`${text}\n`)
}
