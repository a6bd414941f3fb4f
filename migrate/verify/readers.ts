import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { SidecarProcess } from '../../backends/delta/sidecar-process.ts'
import type { DuckDbSession } from '../../platform/duckdb/session.ts'
import { literal } from '../../platform/duckdb/sql.ts'
import { openParquetSession, type SourceAccess } from '../source/open.ts'
import type { DeltaSource } from '../source/source.ts'
import { type ComparedColumn, type Fingerprint, fingerprint, together } from './fingerprint.ts'

export interface ReaderAccess extends SourceAccess {
  /** The interpreter that delta-rs runs in. */
  readonly python: string
}

/** What a reader is to tell of a version of a Delta table. */
export interface Reading {
  readonly source: DeltaSource
  readonly version: number
  readonly columns: readonly ComparedColumn[]
  readonly partitionColumns: readonly string[]
}

/** Somebody else's reader of Delta tables. */
export interface DeltaReader {
  readonly name: string
  /** @throws what the reader throws of a table that it can't read */
  readonly fingerprint: (access: ReaderAccess, reading: Reading) => Promise<Fingerprint>
}

/** The Delta kernel, as DuckDB has it. */
export const kernelReader: DeltaReader = {
  name: 'delta kernel (DuckDB)',
  fingerprint: async (access, reading) => {
    await using session = await openParquetSession(access, ['delta'])
    return await fingerprint(session, kernelScan(reading), reading.columns, reading.partitionColumns)
  },
}

/** A scan of the table by the kernel, for a session with the extension `delta`. */
export function kernelScan({ source, version }: Pick<Reading, 'source' | 'version'>): string {
  return `delta_scan(${literal(source.uri)}, version => ${version})`
}

const PART_BYTES = 128 * 2 ** 20
const partSchema = z.object({ file: z.string().nullable(), rows: z.number() })

/** delta-rs, whose rows come in files of bounded size: it has no hash that DuckDB has, too. */
export const deltaRsReader: DeltaReader = {
  name: 'delta-rs',
  fingerprint: async (access, reading) => {
    const folder = join(access.scratchDir, `delta-rs-${process.pid}-${performance.now()}`)
    await mkdir(folder, { recursive: true })
    try {
      await using session = await openParquetSession(access, [])
      await using sidecar = await SidecarProcess.start(access.python, reading.source.storage, {})
      return await readParts(session, sidecar, reading, folder)
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  },
}

async function readParts(
  session: DuckDbSession,
  sidecar: SidecarProcess,
  { source, version, columns, partitionColumns }: Reading,
  folder: string,
): Promise<Fingerprint> {
  const request = { reading: folder, uri: source.uri, version, folder, maxBytes: PART_BYTES }
  let sum: Fingerprint | null = null
  for (;;) {
    const { file } = await sidecar.request('read_out', request, partSchema)
    if (file === null) return sum ?? emptyFingerprint(columns)
    const part = await fingerprint(session, `read_parquet(${literal(file)})`, columns, partitionColumns)
    await rm(file)
    sum = sum === null ? part : together(sum, part, columns)
  }
}

function emptyFingerprint(columns: readonly ComparedColumn[]): Fingerprint {
  const none = { nulls: 0n, min: null, max: null, distinct: 0, hash: 0n }
  return { rows: 0n, hash: 0n, columns: columns.map(() => none), partitions: new Map() }
}
