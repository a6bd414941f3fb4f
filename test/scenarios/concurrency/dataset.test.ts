import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { DuckDbSession } from '../../../platform/duckdb/session.ts'
import type { Operation, Shape } from '../../../scenarios/concurrency/dataset.ts'
import { changes, MODES, OPERATIONS, storedDataset, TARGETS } from '../../../scenarios/concurrency/dataset.ts'
import { contentOf, NO_ROWS, union } from '../../../scenarios/oracle/content.ts'
import type { Slice } from '../../../scenarios/scenario.ts'
import { plainSession } from '../session.ts'

const shapeArbitrary = fc.record({
  operation: fc.constantFrom(...OPERATIONS),
  target: fc.constantFrom(...TARGETS),
  writers: fc.integer({ min: 1, max: 4 }),
  batches: fc.integer({ min: 1, max: 3 }),
  batchRows: fc.constantFrom(2, 4, 10),
  storedRows: fc.constantFrom(30, 41),
  places: fc.constantFrom(4, 5),
  seed: fc.constantFrom(1, 7),
})

function relation(slices: readonly Slice[]): string {
  return `(${slices.map(({ sql }) => sql).join(' UNION ALL ')})`
}

/** What a batch does, in plain SQL. */
const STATEMENTS: Readonly<Record<(typeof MODES)[Operation], readonly string[]>> = {
  append: ['INSERT INTO stored FROM batch'],
  insert: ['INSERT INTO stored FROM batch WHERE id NOT IN (SELECT id FROM stored)'],
  upsert: ['DELETE FROM stored WHERE id IN (SELECT id FROM batch)', 'INSERT INTO stored FROM batch'],
  delete: ['DELETE FROM stored WHERE id IN (SELECT id FROM batch)'],
  replace: [],
}

async function applied(session: DuckDbSession, shape: Shape): Promise<void> {
  const { table, initial, batches } = storedDataset(shape)
  const stored = [...initial, ...batches].flat(2)
  const { batches: changed } = changes(shape)
  const columns = relation(changed.flat(2))
  await session.run(`CREATE OR REPLACE TABLE stored AS FROM ${columns} LIMIT 0`)
  if (shape.operation !== 'append') await session.run(`INSERT INTO stored FROM ${relation(stored)}`)
  for (const batch of changed) {
    await session.run(`CREATE OR REPLACE TABLE batch AS FROM ${relation(batch.flat())}`)
    for (const statement of STATEMENTS[MODES[shape.operation]]) await session.run(statement)
  }
  expect(table.primaryKey).toEqual(['id'])
}

test('the expected rows are those that all batches make of the stored ones, whatever the operation', async () => {
  await using session = await plainSession()
  await fc.assert(
    fc.asyncProperty(shapeArbitrary, async (shape) => {
      await applied(session, shape)
      const { table, expected, probes } = changes(shape)
      let content = NO_ROWS
      for (const slice of expected)
        content = union(content, await contentOf(session, table, `(${slice.sql})`))
      expect(await contentOf(session, table, 'stored')).toMatchObject(content)
      expect(content.distinctKeys).toBe(content.rows)
      for (const { key, row } of probes) {
        const found = await contentOf(session, table, `(FROM stored WHERE id = ${key})`)
        const wanted = row === null ? 0n : (await contentOf(session, table, `(${row.sql})`)).hashSum
        expect(found.hashSum).toBe(wanted)
      }
    }),
    { numRuns: 25, seed: 3 },
  )
})

test('in any order of the writers the end is the same', async () => {
  await using session = await plainSession()
  for (const operation of OPERATIONS) {
    const shape: Shape = {
      operation,
      target: 'same-partition',
      writers: 3,
      batches: 2,
      batchRows: 4,
      storedRows: 20,
      places: 3,
      seed: 1,
    }
    const { table, batches } = changes(shape)
    const orders = [batches, batches.toReversed()]
    const ends = []
    for (const order of orders) {
      await session.run(
        `CREATE OR REPLACE TABLE stored AS FROM ${relation(storedDataset(shape).initial.flat(2))}`,
      )
      if (operation === 'append') await session.run('DELETE FROM stored')
      for (const batch of order) {
        await session.run(`CREATE OR REPLACE TABLE batch AS FROM ${relation(batch.flat())}`)
        for (const statement of STATEMENTS[MODES[operation]]) await session.run(statement)
      }
      ends.push(await contentOf(session, table, 'stored'))
    }
    expect(ends[0]).toEqual(ends[1])
  }
})
