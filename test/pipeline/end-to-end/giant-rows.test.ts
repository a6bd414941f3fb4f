import { createWriteStream } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { constants, createGzip } from 'node:zlib'
import { expect, test } from 'vitest'
import { z } from 'zod'
import type { Arm } from '../../../backends/backend.ts'
import { TestLake } from './lake.ts'
import { outcomeOf } from './outcome.ts'
import { SourceDatabase } from './source-database.ts'

const ARM: Arm = 'ducklake/delete-insert'
const MEMORY = ['--extractor-memory', '512MiB', '--loader-memory', '512MiB']
const QUICK = ['--claim-ttl', '2s', '--retry-backoff', '100ms', '--json']
const MIB = 2 ** 20

test('a row of 300 MB in Postgres is refused by its key and size, and read without the column that makes it so', async () => {
  await using database = await SourceDatabase.open(
    'CREATE TABLE docs (id int PRIMARY KEY, doc text)',
    `INSERT INTO docs SELECT i, 'x' FROM generate_series(1, 3000) AS i`,
    `UPDATE docs SET doc = repeat(md5('7'), 300000000 / 32) WHERE id = 2500`,
  )
  await using lake = await TestLake.open()
  const flags = ['--table', 'docs', '--to', ARM, '--mode', 'append', ...MEMORY, ...QUICK]
  const refused = outcomeOf(await lake.run(['sync', ...database.flags, ...flags]))
  expect(refused).toMatchObject({
    status: 'failed',
    deaths: 0,
    tables: [{ failure: { class: 'user', code: 'row_too_large' }, counts: { rowsStaged: 2_499 } }],
  })
  const [docs] = refused.tables
  expect(docs?.failure?.message).toMatch(/the row with id = 2500 has 287 MiB as text, .* column "doc"/)
  expect((await lake.run(['runs', 'cancel', docs?.runId ?? ''])).exitCode).toBe(0)
  const without = ['--set', 'excludeColumns={"docs":["doc"]}', ...flags, '--mode', 'full-refresh']
  const { exitCode, stderr } = await lake.run(['sync', ...database.flags, ...without])
  expect(exitCode, stderr).toBe(0)
  expect(await lake.contents(ARM, 'docs')).toMatchObject({ rows: 3_000n, keys: 3_000n })
}, 200_000)

test('a line of 1 GiB in a file is refused by its number before it is held', async () => {
  await using lake = await TestLake.open()
  const location = join(lake.folder, 'lines.ndjson.gz')
  await writeLines(location, 1024 * MIB)
  const flags = ['--table', 'lines', '--to', ARM, '--mode', 'append', ...MEMORY, ...QUICK]
  const run = await lake.run(['sync', '--source', 'files', '--set', `location=${location}`, ...flags])
  const outcome = outcomeOf(run)
  expect(outcome).toMatchObject({
    deaths: 0,
    tables: [{ failure: { class: 'user', code: 'row_too_large' }, counts: { rowsStaged: 2 } }],
  })
  expect(outcome.tables[0]?.failure?.message).toContain('line 3')
}, 120_000)

test('a row that kills the extractor is refused by its number when it does so again', async () => {
  await using lake = await TestLake.open()
  const location = join(lake.folder, 'objects.ndjson')
  // Each of these objects takes twenty times in memory what it takes in the file.
  await writeFile(location, `{"id":1}\n{"id":2,"list":[${'{},'.repeat(9 * MIB)}{}]}\n`)
  const flags = ['--table', 'objects', '--to', ARM, '--mode', 'append', ...MEMORY, ...QUICK]
  const run = await lake.run(['sync', '--source', 'files', '--set', `location=${location}`, ...flags])
  const { deaths, tables } = outcomeOf(run)
  expect(tables).toMatchObject([{ failure: { code: 'row_too_large' }, counts: { rowsStaged: 1 } }])
  expect(tables[0]?.failure?.message).toContain('line 2')
  expect(deaths).toBe(1)
}, 120_000)

test.each<Arm>([ARM, 'delta/merge'])(
  'a row that the loader of %s has no memory for is told by its key and size, and all others are stored',
  async (arm) => {
    await using lake = await TestLake.open()
    const location = join(lake.folder, 'docs.ndjson')
    const line = (id: number) => JSON.stringify({ id, doc: id === 20 ? 'ab'.repeat(45 * MIB) : 'x' })
    await writeFile(location, Array.from({ length: 40 }, (_, id) => `${line(id)}\n`).join(''))
    const source = ['--source', 'files', '--set', `location=${location}`, '--table', 'docs']
    const flags = ['--to', arm, '--mode', 'full-refresh', '--primary-key', 'id', '--partition', 'none']
    const run = await lake.run(['sync', ...source, ...flags, '--loader-memory', '400MiB', ...QUICK])
    const { tables } = outcomeOf(run)
    expect(run.exitCode).toBe(1)
    expect(tables).toMatchObject([{ status: 'done', counts: { rowsDead: 1, rowsCommitted: 39 } }])
    expect(await lake.contents(arm, 'docs')).toMatchObject({ rows: 39n, keys: 39n })
    const shown = await lake.run(['runs', 'show', tables[0]?.runId ?? '', '--json'])
    const { deadRows } = deadRowsSchema.parse(JSON.parse(shown.stdout))
    expect(deadRows).toMatchObject([{ key: { id: '20' } }])
    expect(deadRows[0]?.payloadBytes).toBeGreaterThan(90 * MIB)
  },
  400_000,
)

const deadRowsSchema = z.object({
  deadRows: z.array(z.object({ key: z.record(z.string(), z.string()), payloadBytes: z.number() })),
})

/** Two short lines and a third of so many bytes. */
async function writeLines(path: string, bytes: number): Promise<void> {
  const block = 'x'.repeat(MIB)
  function* lines() {
    yield '{"id":1}\n{"id":2}\n{"id":3,"doc":"'
    for (let written = 0; written < bytes; written += MIB) yield block
    yield '"}\n'
  }
  const gzip = createGzip({ level: constants.Z_BEST_SPEED })
  await pipeline(Readable.from(lines()), gzip, createWriteStream(path))
}
