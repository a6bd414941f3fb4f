import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import type { TestLake } from './lake.ts'
import { optional, required } from './rows.ts'

const COLUMNS = [required('id', 'int64'), optional('generation', 'int32')]
const generation = (number: number, count: number) =>
  Array.from({ length: count }, (_, id) => ({ id, generation: number }))

export function replaceTests(lake: () => TestLake): void {
  test.each([null, 'generation'])(
    'a replace leaves the rows of the batch only, with partitionBy %j',
    async (partitionBy) => {
      const table = await lake().createTable({ columns: COLUMNS, primaryKey: ['id'], partitionBy })
      await table.replace(generation(1, 5))
      await table.expectStored()
      await table.upsert([{ id: 7, generation: 1 }])
      await table.replace(generation(2, 3), [{ id: 9, generation: null }])
      await table.expectStored()
    },
  )

  test('a replace by an empty batch empties the table', async () => {
    const table = await lake().createTable({ columns: COLUMNS, primaryKey: ['id'] })
    await table.append(generation(1, 5))
    await table.replace([])
    await table.expectStored()
    await table.upsert(generation(2, 2))
    await table.expectStored()
  })

  test.each([null, 'generation'])(
    'a reader never sees half of a replaced table, with partitionBy %j',
    async (partitionBy) => {
      const table = await lake().createTable({ columns: COLUMNS, primaryKey: ['id'], partitionBy })
      await table.replace(generation(0, 200))
      const query = await lake().watch(table.spec)
      const writing = new AbortController()
      const watching = (async () => {
        const seen: unknown[] = []
        while (!writing.signal.aborted) {
          seen.push(
            ...(await query(
              (from) => `SELECT count(*) AS n, count(DISTINCT generation) AS generations FROM ${from}`,
            )),
          )
          await sleep(5)
        }
        return seen
      })()
      for (const number of [1, 2, 3, 4, 5])
        await table.replace(generation(number, 120), generation(number, 200).slice(120))
      writing.abort()
      const seen = await watching
      expect(seen.length).toBeGreaterThan(0)
      expect(seen.filter((counts) => JSON.stringify(counts) !== '{"n":"200","generations":"1"}')).toEqual([])
      await table.expectStored()
    },
  )
}
