import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { z } from 'zod'
import { DeletionVectorReader } from '../../migrate/log/deletion-vectors/deletion-vectors.ts'
import { DeltaLog } from '../../migrate/log/log.ts'
import { readSnapshot } from '../../migrate/log/snapshot.ts'
import { parseLocation } from '../../migrate/source/location.ts'
import { openSource } from '../../migrate/source/open.ts'
import type { DeltaSource } from '../../migrate/source/source.ts'
import { createS3Secret } from '../../platform/duckdb/attach.ts'
import { DuckDbSession } from '../../platform/duckdb/session.ts'
import { literal } from '../../platform/duckdb/sql.ts'
import { upload } from './services.ts'
import { fixture, fixtureNames } from './tables.ts'

/** What the kernel can't read; that our reader can, other tests hold against other readers. */
const NOT_FOR_THE_KERNEL = new Set([
  'dat/iceberg_compat_v1/delta',
  'delta-kernel-defaults/catalog-owned-preview',
])
/** Its data files aren't there, so its rows can't be counted. */
const NO_DATA = 'delta-rs/with_checkpoint_no_last_checkpoint'

const { duckdbExtensions, s3 } = inject('services')
let kernel: DuckDbSession
let scratchDir = ''
beforeAll(async () => {
  scratchDir = await mkdtemp(join(tmpdir(), 'lakeduel-log-'))
  kernel = await DuckDbSession.open({
    extensionPaths: duckdbExtensions,
    extensions: ['httpfs', 'delta'],
    settings: { TimeZone: 'UTC' },
    secrets: [],
  })
  await createS3Secret(kernel, s3)
})
afterAll(async () => {
  await kernel.close()
  await rm(scratchDir, { recursive: true })
})

function open(uri: string) {
  return openSource(parseLocation(uri), { duckdbExtensions, s3, scratchDir, memoryLimitBytes: 500_000_000 })
}

async function summary(source: DeltaSource) {
  const snapshot = await readSnapshot(await DeltaLog.open(source), null)
  const vectors = new DeletionVectorReader(source)
  let deleted = 0
  for (const { deletionVector } of snapshot.files) {
    if (deletionVector !== null) deleted += (await vectors.positions(deletionVector, 'the log')).length
  }
  const physical = snapshot.files.every(({ rows }) => rows !== null)
    ? snapshot.files.reduce((sum, { rows }) => sum + (rows ?? 0), 0)
    : null
  return {
    columns: snapshot.table.columns.map(({ name }) => name),
    files: snapshot.files.map(({ uri }) => uri).toSorted(),
    rows: physical === null ? null : physical - deleted,
  }
}

async function kernelSummary(uri: string, countsRows: boolean) {
  const scan = `delta_scan(${literal(uri)})`
  const files = await kernel.query(
    z.object({ data_file: z.string() }),
    `SELECT data_file FROM delta_list_files(${literal(uri)})`,
  )
  const rows = countsRows
    ? await kernel.query(z.object({ rows: z.bigint() }), `SELECT count(*) AS rows FROM ${scan}`)
    : []
  return {
    columns: (await kernel.columnsOf(`FROM ${scan}`)).map(({ name }) => name),
    files: files.map(({ data_file }) => data_file.replace(/^file:\/\//, '')).toSorted(),
    rows: countsRows ? Number(rows[0]?.rows) : null,
  }
}

test.each((await fixtureNames()).filter((name) => !NOT_FOR_THE_KERNEL.has(name)))(
  '%s has the columns, files and rows that the kernel sees in it',
  async (name) => {
    await using source = await open(fixture(name))
    const ours = await summary(source)
    const countsRows = ours.rows !== null && name !== NO_DATA
    expect({ ...ours, rows: countsRows ? ours.rows : null }).toEqual(
      await kernelSummary(fixture(name), countsRows),
    )
  },
)

test.each([
  'delta-rs/checkpoint-v2-table',
  'delta-kernel-defaults/basic-dv-with-checkpoint',
  'dat/multi_partitioned/delta',
])('%s is read from an object store as from a folder', async (name) => {
  const uri = await upload(fixture(name), `log/${name}/`)
  await using remote = await open(uri)
  await using local = await open(fixture(name))
  const here = await summary(local)
  const files = here.files.map((file) => file.replace(fixture(name), uri.replace(/\/$/, '')))
  expect(await summary(remote)).toEqual({ ...here, files })
  expect((await kernelSummary(uri, true)).files).toEqual(files)
})
