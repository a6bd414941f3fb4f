import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, inject, test } from 'vitest'
import { z } from 'zod'
import type { Arm } from '../../../backends/backend.ts'
import { DuckDbSession } from '../../../platform/duckdb/session.ts'
import { literal } from '../../../platform/duckdb/sql.ts'
import { TestLake } from '../end-to-end/lake.ts'

const FORMATS: readonly Arm[] = ['ducklake/delete-insert', 'delta/deltalite']
const outcomeSchema = z.object({
  status: z.string(),
  tables: z.array(
    z.object({
      status: z.string(),
      counts: z.object({ rowsCommitted: z.int() }),
      failure: z
        .object({ class: z.string(), code: z.string(), message: z.string(), bundle: z.string().nullable() })
        .nullable(),
    }),
  ),
})

function outcomeOf({ stdout, stderr }: { readonly stdout: string; readonly stderr: string }) {
  if (stdout === '') throw new Error(stderr)
  return outcomeSchema.parse(JSON.parse(stdout))
}

function filesFlags(location: string): readonly string[] {
  return [
    'sync',
    '--source',
    'files',
    '--set',
    `location=${location}`,
    '--table',
    'events',
    '--set',
    'table=events',
    '--json',
  ]
}

/** The same 500 rows in each format. */
async function writeEvents(folder: string, kind: string): Promise<void> {
  await mkdir(folder, { recursive: true })
  const select =
    "SELECT i AS id, 'text ' || i || ' é' AS note, (i * 1.25)::DOUBLE AS amount, TIMESTAMP '2026-01-01' + to_minutes(i) AS at FROM range(500) t(i)"
  await using session = await DuckDbSession.open({
    extensionPaths: {},
    extensions: [],
    settings: { TimeZone: 'UTC' },
    secrets: [],
  })
  const options = { parquet: 'FORMAT parquet', csv: 'FORMAT csv, HEADER', ndjson: 'FORMAT json' }[kind]
  await session.run(`COPY (${select}) TO ${literal(join(folder, `first.${kind}`))} (${options})`)
}

describe.each(FORMATS)('files into %s', (arm) => {
  test.each(['parquet', 'csv', 'ndjson'])(
    '%s files are stored with their types, and later ones are added',
    async (kind) => {
      await using lake = await TestLake.open()
      const folder = join(lake.folder, 'events')
      await writeEvents(folder, kind)
      const flags = [...filesFlags(folder), '--to', arm]
      const first = outcomeOf(await lake.run(flags))
      expect(first).toMatchObject({ status: 'done', tables: [{ counts: { rowsCommitted: 500 } }] })
      const sumSchema = z.object({
        rows: z.bigint(),
        ids: z.bigint(),
        amounts: z.number(),
        last: z.string(),
        notes: z.bigint(),
      })
      const sums = await lake.query(
        arm,
        sumSchema,
        (relation) =>
          `SELECT count(*) AS rows, sum(id)::BIGINT AS ids, sum(amount)::DOUBLE AS amounts, left(max("at")::VARCHAR, 19) AS last,
       count(*) FILTER (note = 'text ' || id || ' é') AS notes FROM ${relation('events')}`,
      )
      expect(sums).toEqual([
        {
          rows: 500n,
          ids: 124_750n,
          amounts: 155_937.5,
          last: expect.stringMatching(/^2026-01-01.08:19:00$/),
          notes: 500n,
        },
      ])
      const row = {
        ndjson: '{"id":900,"note":"x","amount":1.5,"at":"2026-02-01 00:00:00"}\n',
        csv: 'id,note,amount,at\n900,x,1.5,2026-02-01 00:00:00\n',
      }[kind]
      if (row === undefined) return
      await writeFile(join(folder, `second.${kind}`), row)
      const second = outcomeOf(await lake.run(flags))
      expect(second).toMatchObject({ status: 'done', tables: [{ counts: { rowsCommitted: 1 } }] })
      expect(await lake.contents(arm, 'events')).toMatchObject({ rows: 501n, keys: 501n })
    },
  )
})

test('a broken line stops the sync with the file and the line, and it goes on once the line is corrected', async () => {
  await using lake = await TestLake.open()
  const folder = join(lake.folder, 'events')
  await mkdir(folder)
  const path = join(folder, 'a.ndjson')
  await writeFile(path, '{"id":1}\n{"id":2\n')
  const flags = [...filesFlags(folder), '--to', 'ducklake']
  const failed = outcomeOf(await lake.run(flags))
  expect(failed.tables[0]?.failure).toMatchObject({
    class: 'user',
    code: 'broken_json',
    message: expect.stringContaining('a.ndjson, line 2'),
    bundle: null,
  })
  await writeFile(path, '{"id":1}\n{"id":2}\n')
  expect(outcomeOf(await lake.run(flags))).toMatchObject({
    status: 'done',
    tables: [{ counts: { rowsCommitted: 2 } }],
  })
})

test('files on S3 are synced with keys from the environment, which are stored nowhere', async () => {
  await using lake = await TestLake.open()
  const { s3, bucket } = inject('services')
  await using session = await DuckDbSession.open({
    extensionPaths: inject('services').duckdbExtensions,
    extensions: ['httpfs'],
    settings: {},
    secrets: [],
  })
  const { createS3Secret } = await import('../../../platform/duckdb/attach.ts')
  await createS3Secret(session, s3)
  const location = `s3://${bucket}/files-sync-${Date.now()}`
  await session.run(
    `COPY (SELECT i AS id FROM range(100) t(i)) TO ${literal(`${location}/a.parquet`)} (FORMAT parquet)`,
  )
  const variables = {
    LAKEDUEL_SOURCE_FILES_ACCESS_KEY_ID: s3.accessKeyId,
    LAKEDUEL_SOURCE_FILES_SECRET_ACCESS_KEY: s3.secretAccessKey,
  }
  const flags = [...filesFlags(location), '--set', `endpoint=${s3.url}`, '--to', 'ducklake']
  const done = await lake.run(flags, variables)
  expect(outcomeOf(done)).toMatchObject({ status: 'done', tables: [{ counts: { rowsCommitted: 100 } }] })
  const shown = await lake.run(['runs', 'list', '--json'])
  expect(shown.stdout + done.stdout + done.stderr).not.toContain(s3.secretAccessKey)
})

test('a source of one’s own is synced by its path, and what it fails of is replayed', async () => {
  await using lake = await TestLake.open()
  await lake.run(['source', 'new', 'web-shop', '--into', lake.folder])
  const path = join(lake.folder, 'web-shop')
  const done = outcomeOf(
    await lake.run(['sync', '--source', path, '--table', 'items', '--to', 'ducklake', '--json']),
  )
  expect(done).toMatchObject({ status: 'done', tables: [{ counts: { rowsCommitted: 250 } }] })
  const table = {
    name: 'events',
    rows: 1_000,
    pageRows: 100,
    failures: [{ page: 4, class: 'system', times: 99 }],
  }
  const failed = outcomeOf(
    await lake.run([
      'sync',
      ...(await lake.source('synthetic', { tables: [table] })),
      '--to',
      'ducklake',
      '--json',
    ]),
  )
  const bundle = failed.tables[0]?.failure?.bundle ?? ''
  const replayed = await lake.run(['source', 'replay', bundle, '--json'])
  expect(JSON.parse(replayed.stdout)).toMatchObject({
    outcome: 'failure',
    same: true,
    failure: { class: 'system' },
  })
})
