import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { z } from 'zod'
import type { StagedPart } from '../../../backends/backend.ts'
import { BatchStager, type FinishedBatch } from '../../../pipeline/extract/batch-stager.ts'
import { type ExtractLimits, limitsFor } from '../../../pipeline/extract/limits.ts'
import type { TablePlan } from '../../../pipeline/extract/table-plan.ts'
import type { Row } from '../../../pipeline/sources/source.ts'
import { optional, planOf } from './columns.ts'

const KB = 1_000

/** Limits that small rows reach. */
const LIMITS: ExtractLimits = {
  read: { readAheadBytes: 100 * KB, pageRows: 100, maxRowBytes: Number.MAX_SAFE_INTEGER },
  waitingBytes: 100 * KB,
  bufferedBytes: 60 * KB,
  batch: { payloadBytes: 100 * KB, rows: 50 },
  parts: { partPayloadBytes: 50 * KB, rowGroupPayloadBytes: 10 * KB, rowGroupRows: 30 },
}

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lakeduel-stager-'))
})
afterEach(() => rm(folder, { recursive: true }))

function openStager(plan: TablePlan, limits: ExtractLimits = LIMITS): BatchStager {
  let parts = 0
  const nextKey = () => {
    parts += 1
    return `staged/part-${parts}.parquet`
  }
  return new BatchStager({ plan, limits, storage: { kind: 'local', root: folder }, nextKey })
}

/** Stages the pages, whose cursors are their numbers, and returns all batches. */
async function stage(pages: readonly (readonly Row[])[], plan: TablePlan = planOf(), limits?: ExtractLimits) {
  await using stager = openStager(plan, limits)
  const batches: FinishedBatch[] = []
  for (const [cursor, rows] of pages.entries()) batches.push(...(await stager.add({ rows, cursor })))
  const last = await stager.finish()
  expect(stager.position?.pages ?? 0).toBe(pages.length)
  return last === null ? batches : [...batches, last]
}

async function query<T>(row: z.ZodType<T>, sql: string): Promise<readonly T[]> {
  const connection = await (await DuckDBInstance.create(':memory:', { threads: '1' })).connect()
  try {
    return z.array(row).parse((await connection.runAndReadAll(sql)).getRowObjectsJson())
  } finally {
    connection.closeSync()
  }
}

async function rowsIn(parts: readonly StagedPart[]): Promise<readonly unknown[]> {
  const perPart = await Promise.all(parts.map(({ uri }) => query(z.unknown(), `FROM read_parquet('${uri}')`)))
  return perPart.flat()
}

const groupSchema = z.object({ row_group_num_rows: z.string() })
const rowGroupsOf = (part: StagedPart) =>
  query(
    groupSchema,
    `SELECT DISTINCT row_group_id, row_group_num_rows FROM parquet_metadata('${part.uri}') ORDER BY row_group_id`,
  )

const rowsOf = (count: number, bytes: number, from = 0): readonly Row[] =>
  Array.from({ length: count }, (_, i) => ({ id: from + i, text: 'x'.repeat(bytes) }))

describe('batches of staged parts', () => {
  test('hold every row once and in order, whatever the pages and rows are like', async () => {
    const pageArbitrary = fc.array(
      fc.oneof(fc.integer({ min: 0, max: 300 }), fc.integer({ min: 0, max: 150 * KB })),
      { maxLength: 30 },
    )
    await fc.assert(
      fc.asyncProperty(fc.array(pageArbitrary, { maxLength: 8 }), async (sizes) => {
        let id = 0
        const pages = sizes.map((page) => page.map((bytes) => ({ id: (id += 1), text: 'x'.repeat(bytes) })))
        const batches = await stage(pages)
        const stored = await rowsIn(batches.flatMap(({ parts }) => parts))
        expect(stored).toEqual(pages.flat().map((row) => ({ ...row, id: String(row.id) })))
        for (const batch of batches) {
          expect(batch.rows === 1 || (batch.payloadBytes <= 100 * KB && batch.rows <= 50)).toBe(true)
          for (const part of batch.parts) expect(part.rows === 1 || part.payloadBytes <= 50 * KB).toBe(true)
        }
      }),
      { numRuns: 25 },
    )
  })

  test('have parts and row groups that are bounded by bytes, and a row group of its own for a wide row', async () => {
    const [batch] = await stage([[...rowsOf(12, 3 * KB), ...rowsOf(2, 15 * KB, 12), ...rowsOf(5, 100, 14)]])
    expect(batch?.parts.map(({ rows }) => rows)).toEqual([12, 7])
    const groups = await Promise.all((batch?.parts ?? []).map(rowGroupsOf))
    expect(groups.map((part) => part.map(({ row_group_num_rows: rows }) => Number(rows)))).toEqual([
      [3, 3, 3, 3],
      [1, 1, 5],
    ])
  })

  test('tell what their parts have: rows, bytes as stored, payload', async () => {
    const [batch] = await stage([rowsOf(20, 1_000)])
    const files = await readdir(join(folder, 'staged'))
    expect(files).toHaveLength(1)
    const { size } = await stat(join(folder, 'staged', files[0] ?? ''))
    expect(batch).toMatchObject({
      rows: 20,
      bytes: size,
      endsWithPage: true,
      position: { cursor: 0, pages: 1 },
    })
    expect(batch?.payloadBytes).toBeGreaterThan(20 * 1_000)
    expect(batch?.payloadBytes).toBeLessThan(20 * 1_100)
    expect(size).toBeLessThan(2_000)
  })

  test('end before the page that would overfill them, with the position after the last whole page', async () => {
    const batches = await stage([rowsOf(20, 100), rowsOf(20, 100, 20), rowsOf(20, 100, 40)])
    expect(batches.map(({ rows, position, endsWithPage }) => [rows, position?.cursor, endsWithPage])).toEqual(
      [
        [40, 1, true],
        [20, 2, true],
      ],
    )
  })

  test('cut a page that is larger than a batch, and say so', async () => {
    const batches = await stage([rowsOf(10, 100), rowsOf(120, 100, 10), rowsOf(10, 100, 130)])
    expect(batches.map(({ rows, position, endsWithPage }) => [rows, position?.cursor, endsWithPage])).toEqual(
      [
        [10, 0, true],
        [50, 0, false],
        [50, 0, false],
        [30, 2, true],
      ],
    )
  })

  test('move the position also by pages without rows', async () => {
    expect(await stage([[], []])).toEqual([])
    const [batch] = await stage([rowsOf(1, 1), [], []])
    expect(batch?.position).toEqual({ cursor: 2, mark: undefined, pages: 3 })
  })

  test('have the columns of the table as of their last row', async () => {
    const batches = await stage([rowsOf(40, 10), [{ id: 40, more: true }]])
    expect(batches.map(({ columns }) => columns.map(({ name }) => name))).toEqual([['id', 'text', 'more']])
    const wide = { ...LIMITS, bufferedBytes: 2 * KB }
    const [batch] = await stage(
      [rowsOf(10, 500), [{ id: 2n ** 70n, text: null }], rowsOf(1, 5)],
      planOf(),
      wide,
    )
    expect(batch?.columns[0]).toEqual(optional('id', { kind: 'decimal', precision: 38, scale: 0 }))
    const ids = await Promise.all(
      (batch?.parts ?? []).map(({ uri }) =>
        query(
          z.object({ type: z.string() }),
          `SELECT DISTINCT typeof(id) AS type FROM read_parquet('${uri}')`,
        ),
      ),
    )
    expect(ids.flat().map(({ type }) => type)).toEqual(['BIGINT', 'DECIMAL(38,0)'])
  })

  test('count the values that became null', async () => {
    const table = { known: [optional('at', 'timestamptz'), optional('score', 'float64')] }
    const [batch] = await stage(
      [
        [
          { at: new Date(Number.NaN), score: Number.NaN },
          { at: null, score: 1.5 },
          { at: new Date(0), score: Infinity },
        ],
      ],
      planOf(table),
    )
    expect(batch?.nulled).toEqual(
      new Map([
        ['at', 1],
        ['score', 2],
      ]),
    )
  })

  test('refuse a null where the table allows none', async () => {
    const plan = planOf({ known: [{ ...optional('id', 'int64'), nullable: false }] })
    await expect(stage([[{ id: 1 }, { id: null }]], plan)).rejects.toMatchObject({
      code: 'BATCH_INVALID',
      facts: { column: 'id' },
    })
  })
})

test('an abandoned stager leaves no open file and no upload behind', async () => {
  {
    await using stager = openStager(planOf(), { ...LIMITS, bufferedBytes: 1 })
    await stager.add({ rows: rowsOf(5, 100), cursor: 0 })
    expect(stager.openRows).toBe(5)
  }
  expect(await readdir(join(folder, 'staged'))).toEqual([])
})

test('what the storage fails with ends the staging', async () => {
  await writeFile(join(folder, 'staged'), 'a file where the folder of parts should be')
  await using stager = openStager(planOf())
  await stager.add({ rows: rowsOf(5, 100), cursor: 0 })
  await expect(stager.finish()).rejects.toMatchObject({ code: 'EEXIST' })
})

test('the defaults take ordinary rows as one batch with one part', async () => {
  const batches = await stage([rowsOf(1_000, 100), rowsOf(1_000, 100, 1_000)], planOf(), limitsFor(null))
  expect(batches.map(({ rows, parts }) => [rows, parts.length])).toEqual([[2_000, 1]])
})
