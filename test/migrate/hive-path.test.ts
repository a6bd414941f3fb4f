import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { z } from 'zod'
import { hiveSegments, hiveValue } from '../../migrate/plan/hive-path.ts'
import { DuckDbSession } from '../../platform/duckdb/session.ts'
import { escapedGlob, literal } from '../../platform/duckdb/sql.ts'

/** Holds our idea of how DuckLake reads a path against DuckLake itself. */

const { duckdbExtensions } = inject('services')
let session: DuckDbSession
let folder = ''
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lakeduel-hive-'))
  session = await DuckDbSession.open({
    extensionPaths: duckdbExtensions,
    extensions: ['ducklake'],
    settings: { TimeZone: 'UTC' },
    secrets: [],
  })
  await session.run(
    `ATTACH ${literal(`ducklake:${folder}/catalog`)} AS lake (DATA_PATH ${literal(`${folder}/data/`)})`,
  )
  await session.run('CREATE TABLE lake.t (id INTEGER, p VARCHAR)')
  await session.run('ALTER TABLE lake.t SET PARTITIONED BY (p)')
})
afterAll(async () => {
  await session.close()
  await rm(folder, { recursive: true })
})

let files = 0

/** What DuckLake reads as `p` in a file at that path, or `refused`. */
async function readByDuckLake(path: string): Promise<string | null> {
  files += 1
  const file = join(folder, String(files), path)
  await mkdir(dirname(file), { recursive: true })
  await session.run(`COPY (SELECT ${files} AS id) TO ${literal(file)} (FORMAT parquet)`)
  try {
    await session.run(`CALL ducklake_add_data_files('lake', 't', ${literal(escapedGlob(file))})`)
  } catch {
    return 'refused'
  }
  const rows = await session.query(
    z.object({ p: z.string().nullable() }),
    `SELECT p FROM lake.t WHERE id = ${files}`,
  )
  expect(rows).toHaveLength(1)
  return rows[0]?.p ?? null
}

function readByUs(path: string): string | null {
  const segment = hiveSegments(path).get('p')
  const value = segment === undefined ? undefined : hiveValue(segment, true)
  return value === undefined ? 'refused' : value
}

test.each([
  'p=a/f.parquet',
  'p=/f.parquet',
  'p=NULL/f.parquet',
  'p=null/f.parquet',
  'p=nUlL/f.parquet',
  'p=__HIVE_DEFAULT_PARTITION__/f.parquet',
  'p=a%2Fb/f.parquet',
  'p=%C3%A9%F0%9F%98%88/f.parquet',
  'p=100%/f.parquet',
  'p=%zz/f.parquet',
  'p=%4eULL/f.parquet',
  'p=a=b/f.parquet',
  'p=a b+c/f.parquet',
  'p=1/p=2/f.parquet',
  'q=1/p=2/f.parquet',
  'P=1/f.parquet',
  'p=a[1]/f.parquet',
  "p=it's/f.parquet",
  'plain/f.parquet',
])('%s is read alike', async (path) => {
  expect(readByUs(path)).toBe(await readByDuckLake(path))
})

test('any value is read alike', async () => {
  const characters = fc.constantFrom(
    'a',
    'N',
    '%',
    '2',
    'F',
    '4',
    '1',
    '+',
    ' ',
    '.',
    'é',
    '😈',
    '_',
    '-',
    '~',
    '#',
    '&',
  )
  await fc.assert(
    fc.asyncProperty(fc.string({ unit: characters, minLength: 1, maxLength: 8 }), async (value) => {
      const path = `p=${value}/f.parquet`
      expect(readByUs(path)).toBe(await readByDuckLake(path))
    }),
    { numRuns: 60 },
  )
})
