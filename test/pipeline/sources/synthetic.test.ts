import { describe, expect, test } from 'vitest'
import { parseSourceConfig } from '../../../pipeline/sources/config.ts'
import { classify } from '../../../pipeline/sources/errors.ts'
import { rowBytes } from '../../../pipeline/sources/row-bytes.ts'
import type { JsonValue, Page, ReadRequest, Row } from '../../../pipeline/sources/source.ts'
import { COLUMN_KINDS } from '../../../pipeline/sources/synthetic/config.ts'
import { synthetic } from '../../../pipeline/sources/synthetic/index.ts'
import { sourceContract } from './contract.ts'

const MIB = 1024 * 1024

interface Asked {
  readonly incremental?: ReadRequest['incremental']
  readonly resume?: JsonValue
  readonly limits?: ReadRequest['limits']
}

async function* pagesOf(config: Record<string, unknown>, asked: Asked = {}): AsyncGenerator<Page> {
  const parsed = parseSourceConfig(synthetic, config)
  await using source = await synthetic.open(parsed)
  const [table] = await source.discover()
  if (table === undefined) throw new Error('the source has no table')
  yield* source.read({
    table,
    incremental: asked.incremental ?? null,
    resume: asked.resume ?? null,
    signal: new AbortController().signal,
    limits: asked.limits ?? {
      readAheadBytes: 150 * MIB,
      pageRows: 100_000,
      maxRowBytes: Number.MAX_SAFE_INTEGER,
    },
    parents: null,
  })
}

async function collected(pages: AsyncIterable<Page>): Promise<readonly Page[]> {
  const all: Page[] = []
  for await (const page of pages) all.push(page)
  return all
}

async function rowsOf(config: Record<string, unknown>, asked: Asked = {}): Promise<readonly Row[]> {
  return (await collected(pagesOf(config, asked))).flatMap(({ rows }) => rows)
}

function oneTable(table: Record<string, unknown>, seed = 1): Record<string, unknown> {
  return { seed, tables: [{ name: 'events', rows: 500, ...table }] }
}

sourceContract('the synthetic source', synthetic, () => ({
  password: 'correct',
  tables: [
    { name: 'plain', rows: 2_500, pageRows: 300 },
    { name: 'shuffled', rows: 1_001, pageRows: 100, keyOrder: 'shuffled', revisions: 3, declared: false },
    {
      name: 'newest first',
      rows: 900,
      pageRows: 100,
      keyOrder: 'descending',
      incremental: 'descending',
      revisions: 2,
    },
    { name: 'doubtful', rows: 700, pageRows: 100, duplicates: 0.2, nullKeys: 0.1, incremental: 'none' },
    { name: 'wide', rows: 40, widthBytes: 300_000, columns: [] },
    { name: 'too wide', rows: 5, widthBytes: 3 * MIB, columns: ['json'] },
    { name: 'empty', rows: 0 },
  ],
}))

describe('what it makes', () => {
  test('the same seed makes the same rows, and another seed others', async () => {
    expect(await rowsOf(oneTable({}, 7))).toEqual(await rowsOf(oneTable({}, 7)))
    const [first, second] = [await rowsOf(oneTable({}, 7)), await rowsOf(oneTable({}, 8))]
    expect(first.map((row) => row['string_9'])).not.toEqual(second.map((row) => row['string_9']))
  })

  test('the first rows of a seed are what they were when this test was written', async () => {
    const [row] = await rowsOf(oneTable({ nulls: 0, columns: ['int32', 'int64', 'decimal', 'string'] }))
    expect(row).toMatchObject({ id: 0, created_at: new Date('2024-01-01') })
    expect(Object.values(row ?? {}).slice(3)).toMatchInlineSnapshot(`
      [
        606777154,
        -6148805780021524606n,
        DecimalText {
          "text": "591884545.3949",
        },
        "delta",
      ]
    `)
  })

  test('every kind of column comes with values and with nulls', async () => {
    const rows = await rowsOf(oneTable({}))
    for (const [index, kind] of COLUMN_KINDS.entries()) {
      const values = rows.map((row) => row[`${kind}_${index + 1}`])
      expect(new Set(values.map(String)).size, kind).toBeGreaterThan(1)
      expect(values, kind).toContain(null)
    }
  })

  test('a table may have 2,000 columns', async () => {
    const [row] = await rowsOf(oneTable({ rows: 1, columns: Array.from({ length: 2_000 }, () => 'int32') }))
    expect(Object.keys(row ?? {})).toHaveLength(2_003)
  })

  test('the payload has just the width that was asked for', async () => {
    const rows = await rowsOf(oneTable({ rows: 3, widthBytes: 200_001, columns: [] }))
    expect(rows.map((row) => Buffer.byteLength(String(row['payload'])))).toEqual([200_001, 200_001, 200_001])
  })

  test.each(['ascending', 'descending', 'shuffled'])(
    'keys in %s order are all there once',
    async (keyOrder) => {
      const ids = (await rowsOf(oneTable({ keyOrder, columns: [] }))).map((row) => Number(row['id']))
      expect(ids.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 500 }, (_, index) => index))
      const ascending = ids.every((id, index) => index === 0 || id > (ids[index - 1] ?? id))
      expect(ascending).toBe(keyOrder === 'ascending')
    },
  )

  test('duplicates and null keys come in about the share that was asked for', async () => {
    const rows = await rowsOf(oneTable({ rows: 5_000, duplicates: 0.2, nullKeys: 0.1, columns: [] }))
    const keys = rows.map((row) => row['id']).filter((id) => id !== null)
    expect(rows.length - keys.length).toBeGreaterThan(400)
    expect(rows.length - keys.length).toBeLessThan(600)
    expect(1 - new Set(keys).size / keys.length).toBeGreaterThan(0.1)
  })
})

describe('changes', () => {
  test('a revision changes a tenth of the rows, which an incremental read from the mark before it yields', async () => {
    const before = await collected(
      pagesOf(oneTable({ rows: 3_000 }), { incremental: { field: 'updated_at', since: null } }),
    )
    const mark = before.at(-1)?.mark ?? null
    const changed = await rowsOf(oneTable({ rows: 3_000, revisions: 1 }), {
      incremental: { field: 'updated_at', since: mark },
    })
    expect(changed.length).toBeGreaterThan(200)
    expect(changed.length).toBeLessThan(400)
    const full = await rowsOf(oneTable({ rows: 3_000, revisions: 1 }))
    const old = before.flatMap(({ rows }) => rows)
    const merged = new Map([...old, ...changed].map((row) => [row['id'], row]))
    expect([...merged.values()]).toEqual(full)
  })

  test('a column appears, changes its kind and goes at the rows that were asked for', async () => {
    const drift = [
      { atRow: 100, add: 'string' },
      { atRow: 200, column: 'int32_1', to: 'int64' },
      { atRow: 300, drop: 'bool_2' },
    ]
    const rows = await rowsOf(oneTable({ nulls: 0, columns: ['int32', 'bool'], drift }))
    expect(rows.findIndex((row) => 'added_0' in row)).toBe(100)
    expect(rows.findIndex((row) => typeof row['int32_1'] === 'bigint')).toBe(200)
    expect(rows.findIndex((row) => !('bool_2' in row))).toBe(300)
  })
})

describe('pages', () => {
  test('wide rows come in pages below the limit, a wider one alone', async () => {
    const limits = { readAheadBytes: MIB, pageRows: 1_000, maxRowBytes: Number.MAX_SAFE_INTEGER }
    for (const widthBytes of [300_000, 2 * MIB]) {
      const pages = await collected(pagesOf(oneTable({ rows: 10, widthBytes, columns: [] }), { limits }))
      expect(pages.map(({ rows }) => rows.length)).toEqual(
        widthBytes < MIB ? [3, 3, 3, 1] : Array(10).fill(1),
      )
      for (const page of pages)
        expect(page.bytes).toBe(page.rows.reduce((sum, row) => sum + rowBytes(row), 0))
    }
  })

  test.each(['user', 'source', 'system'])(
    'a page fails with class %s as often as asked, then comes',
    async (failureClass) => {
      const config = oneTable(
        { pageRows: 100, failures: [{ page: 3, class: failureClass, times: 2, retryAfterMs: 5 }] },
        99,
      )
      const attempts: string[] = []
      let resume: JsonValue = null
      let rows = 0
      while (attempts.length < 3) {
        try {
          for await (const page of pagesOf(config, { resume })) {
            resume = page.cursor
            rows += page.rows.length
          }
          attempts.push('done')
        } catch (error) {
          attempts.push(classify(synthetic, error).class)
          expect(rows).toBe(200)
        }
      }
      expect(attempts).toEqual([failureClass, failureClass, 'done'])
      expect(rows).toBe(500)
    },
  )
})
