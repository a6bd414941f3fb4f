import fc from 'fast-check'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { mix } from '../../scenarios/data/mix.ts'
import { LOCALITIES } from '../../scenarios/data/one-merge.ts'
import { payloadWidth } from '../../scenarios/data/payload.ts'
import { slices } from '../../scenarios/data/slices.ts'
import { versioned } from '../../scenarios/data/versioned.ts'
import { memoryCapDataset } from '../../scenarios/memory-cap/dataset.ts'
import { mergePartitions } from '../../scenarios/merge-partitions.ts'
import { contentHash, contentOf, union } from '../../scenarios/oracle/content.ts'
import type { BatchPlan, Slice } from '../../scenarios/scenario.ts'
import { wideJson } from '../../scenarios/wide-json.ts'
import { plainSession } from './session.ts'

/** The formula of `mix` once more, in JavaScript's 32-bit integers. */
function mixTwin(row: number, salt: number, seed: number): number {
  const offset = (salt * 40_503 + seed * 2_246_822_519) % 2 ** 32
  let hash = (Math.imul(row, 2_654_435_761 | 0) + offset) >>> 0
  hash = Math.imul(hash ^ (hash >>> 16), 2_246_822_507 | 0) >>> 0
  hash = Math.imul(hash ^ (hash >>> 13), 3_266_489_909 | 0) >>> 0
  return (hash ^ (hash >>> 16)) >>> 0
}

test('generated numbers follow the published formula and not an engine', async () => {
  await using session = await plainSession()
  const row = fc.integer({ min: 0, max: 2 ** 32 - 1 })
  const salt = fc.integer({ min: 0, max: 200 })
  const seed = fc.integer({ min: 0, max: 2 ** 31 - 1 })
  await fc.assert(
    fc.asyncProperty(row, salt, seed, async (rowNumber, column, chosen) => {
      const [found] = await session.query(
        z.object({ n: z.bigint() }),
        `SELECT CAST(${mix(String(rowNumber), column, chosen)} AS BIGINT) AS n`,
      )
      expect(Number(found?.n)).toBe(mixTwin(rowNumber, column, chosen))
    }),
    { numRuns: 50, seed: 1 },
  )
})

test('slices cover every row number once and none is larger than asked', () => {
  const bound = fc.integer({ min: 0, max: 5_000 })
  fc.assert(
    fc.property(bound, bound, fc.integer({ min: 1, max: 700 }), (from, length, size) => {
      const made = slices(from, from + length, size, (source) => source)
      expect(made.reduce((sum, slice) => sum + slice.rows, 0)).toBe(length)
      expect(made.every((slice) => slice.rows > 0 && slice.rows <= size)).toBe(true)
    }),
  )
})

function all(batches: readonly BatchPlan[]): readonly Slice[] {
  return batches.flat(2)
}

function relationOf(parts: readonly Slice[]): string {
  return `(${parts.map(({ sql }) => sql).join(' UNION ALL ')})`
}

test('the expected rows are those that an upsert of the batch into the initial rows gives', async () => {
  await using session = await plainSession()
  const shape = fc.record({
    rows: fc.integer({ min: 10, max: 3_000 }),
    batchRows: fc.integer({ min: 2, max: 10 }),
    partitions: fc.integer({ min: 1, max: 20 }),
  })
  await fc.assert(
    fc.asyncProperty(shape, fc.integer({ min: 0, max: 1_000 }), async (parameters, seed) => {
      const { table, initial, batches, expected, probes } = mergePartitions.dataset(
        { partitions: parameters.partitions },
        parameters,
        seed,
      )
      await session.run(`CREATE OR REPLACE TABLE batch AS FROM ${relationOf(all(batches))}`)
      await session.run(
        `CREATE OR REPLACE TABLE upserted AS FROM batch UNION ALL
         FROM ${relationOf(all(initial))} WHERE id NOT IN (SELECT id FROM batch)`,
      )
      const wanted = await contentOf(session, table, 'upserted')
      let made = { rows: 0, distinctKeys: 0, hashSum: 0n }
      for (const slice of expected) made = union(made, await contentOf(session, table, `(${slice.sql})`))
      expect(wanted).toMatchObject(made)
      expect(made.distinctKeys).toBe(parameters.rows + Math.ceil(parameters.batchRows / 2))
      for (const { key, row } of probes) {
        const stored = await contentOf(session, table, `(FROM upserted WHERE id = ${key})`)
        expect(row === null ? 0n : (await contentOf(session, table, `(${row.sql})`)).hashSum).toBe(
          stored.hashSum,
        )
      }
    }),
    { numRuns: 8, seed: 1 },
  )
})

test('many merges in order give the rows that are expected, whatever their number', async () => {
  await using session = await plainSession()
  const shape = fc.record({
    updates: fc.integer({ min: 1, max: 20 }),
    cycle: fc.integer({ min: 2, max: 12 }),
    inserts: fc.integer({ min: 1, max: 5 }),
    merges: fc.integer({ min: 1, max: 15 }),
  })
  await fc.assert(
    fc.asyncProperty(shape, async ({ updates, cycle, inserts, merges }) => {
      const rows = updates * cycle
      const { table, initial, batches, expected, probes } = versioned({
        rows,
        partitions: 3,
        merges,
        updates,
        inserts,
        seed: 1,
      })
      await session.run(`CREATE OR REPLACE TABLE merged AS FROM ${relationOf(all(initial))}`)
      for (const batch of batches) {
        await session.run(`CREATE OR REPLACE TABLE batch AS FROM ${relationOf(batch.flat())}`)
        await session.run('DELETE FROM merged WHERE id IN (SELECT id FROM batch)')
        await session.run('INSERT INTO merged FROM batch')
      }
      const wanted = await contentOf(session, table, relationOf(expected))
      expect(await contentOf(session, table, 'merged')).toEqual(wanted)
      expect(wanted.distinctKeys).toBe(rows + merges * inserts)
      for (const { key, row } of probes) {
        const stored = await contentOf(session, table, `(FROM merged WHERE id = ${key})`)
        expect(row === null ? 0n : (await contentOf(session, table, `(${row.sql})`)).hashSum).toBe(
          stored.hashSum,
        )
      }
    }),
    { numRuns: 6, seed: 3 },
  )
})

test.each(LOCALITIES)('updates whose keys are %s give the rows that are expected', async (locality) => {
  await using session = await plainSession()
  const { table, initial, batches, expected } = memoryCapDataset(
    { tableSize: 1, locality, rowBytes: 32 },
    { rows: 1_003, batchRows: 21 },
    5,
  )
  await session.run(`CREATE OR REPLACE TABLE batch AS FROM ${relationOf(all(batches))}`)
  await session.run(
    `CREATE OR REPLACE TABLE upserted AS FROM batch UNION ALL
     FROM ${relationOf(all(initial))} WHERE id NOT IN (SELECT id FROM batch)`,
  )
  const wanted = await contentOf(session, table, relationOf(expected))
  expect(await contentOf(session, table, 'upserted')).toEqual(wanted)
  expect(wanted.distinctKeys).toBe(1_003 + 11)
})

test('an updated row differs from the stored one, and keeps its key and its partition', async () => {
  await using session = await plainSession()
  const { initial, batches } = mergePartitions.dataset({ partitions: 10 }, { rows: 1_000, batchRows: 200 }, 7)
  const [found] = await session.query(
    z.object({ updates: z.bigint(), same: z.bigint(), moved: z.bigint() }),
    `SELECT count(*) AS updates, count(*) FILTER (stored = batch) AS same, count(*) FILTER (stored.bucket != batch.bucket) AS moved
     FROM ${relationOf(all(batches))} batch JOIN ${relationOf(all(initial))} stored USING (id)`,
  )
  expect(found).toEqual({ updates: 100n, same: 0n, moved: 0n })
})

test('another seed makes other data, and the same seed the same', async () => {
  await using session = await plainSession()
  const hashOf = async (seed: number) => {
    const { table, expected } = mergePartitions.dataset({ partitions: 3 }, { rows: 100, batchRows: 10 }, seed)
    return contentHash(await contentOf(session, table, relationOf(expected)))
  }
  expect(await hashOf(1)).toBe(await hashOf(1))
  expect(await hashOf(1)).not.toBe(await hashOf(2))
})

test('wide rows are JSON of about the width that was asked for', async () => {
  await using session = await plainSession()
  const { table, initial } = wideJson.dataset(
    { rowBytes: 100_000, mode: 'upsert', partitions: 3 },
    { megabytes: 0.6 },
    1,
  )
  const [found] = await session.query(
    z.object({ valid: z.bigint(), width: z.number(), payload: z.number() }),
    `SELECT count(*) FILTER (payload[1] = '[' AND payload[-1] = ']') AS valid, avg(strlen(payload)) AS width,
      avg(${payloadWidth(table.columns)})::DOUBLE AS payload FROM ${relationOf(all(initial))}`,
  )
  expect(found?.valid).toBe(6n)
  expect(found?.width).toBeGreaterThan(95_000)
  expect(found?.width).toBeLessThan(105_000)
  expect(found?.payload).toBeGreaterThan(found?.width ?? 0)
  const [row] = await session.query(
    z.object({ payload: z.string() }),
    `SELECT payload FROM ${relationOf(all(initial))} LIMIT 1`,
  )
  const items = z.array(z.object({ id: z.string(), amount: z.int() })).parse(JSON.parse(row?.payload ?? ''))
  expect(items.length).toBeGreaterThan(400)
})
