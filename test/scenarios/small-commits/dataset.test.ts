import fc from 'fast-check'
import { expect, test } from 'vitest'
import { contentOf, NO_ROWS, union } from '../../../scenarios/oracle/content.ts'
import { MODES, stream } from '../../../scenarios/small-commits/dataset.ts'
import { plainSession } from '../session.ts'

test('the expected rows are those that the changes make of the stored ones, one batch after another', async () => {
  await using session = await plainSession()
  const shape = fc.record({
    mode: fc.constantFrom(...MODES),
    rowsPerBatch: fc.integer({ min: 1, max: 9 }),
    batches: fc.integer({ min: 1, max: 6 }),
    storedRows: fc.integer({ min: 30, max: 60 }),
    seed: fc.integer({ min: 0, max: 9 }),
  })
  await fc.assert(
    fc.asyncProperty(shape, async (asked) => {
      const { table, batches, expected, probes } = stream(asked)
      for (const [index, batch] of batches.entries()) {
        const rows = `(${batch
          .flat()
          .map(({ sql }) => sql)
          .join(' UNION ALL ')})`
        if (index === 0) await session.run(`CREATE OR REPLACE TABLE stored AS FROM ${rows}`)
        else {
          await session.run(`CREATE OR REPLACE TABLE batch AS FROM ${rows}`)
          if (asked.mode === 'upsert')
            await session.run('DELETE FROM stored WHERE id IN (SELECT id FROM batch)')
          await session.run('INSERT INTO stored FROM batch')
        }
      }
      let content = NO_ROWS
      for (const slice of expected)
        content = union(content, await contentOf(session, table, `(${slice.sql})`))
      expect(await contentOf(session, table, 'stored')).toMatchObject(content)
      expect(content.distinctKeys).toBe(content.rows)
      for (const { key, row } of probes) {
        const found = await contentOf(session, table, `(FROM stored WHERE id = ${key})`)
        expect(found.hashSum).toBe(
          row === null ? 0n : (await contentOf(session, table, `(${row.sql})`)).hashSum,
        )
      }
    }),
    { numRuns: 20, seed: 5 },
  )
})
