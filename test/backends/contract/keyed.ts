import { expect, test } from 'vitest'
import type { TestLake } from './lake.ts'
import type { Row } from './rows.ts'
import { optional, required } from './rows.ts'

const COLUMNS = [optional('part', 'string'), required('id', 'int64'), optional('note', 'string')]
const at = (id: number, note: string, part: string | null = `p${id % 2}`): Row => ({ part, id, note })

export function keyedTests(lake: () => TestLake): void {
  const create = (partitionBy: string | null = 'part') =>
    lake().createTable({ columns: COLUMNS, primaryKey: ['part', 'id'], partitionBy })

  test('an insert adds the rows whose keys are new, and leaves stored rows as they are', async () => {
    const table = await create()
    await table.append([at(1, 'stored'), at(2, 'stored'), at(3, 'stored', null)])
    await table.apply('insert', [at(2, 'must not appear'), at(3, 'must not appear', null), at(4, 'new')])
    await table.expectStored()
    await table.apply('insert', [at(1, 'must not appear'), at(2, 'must not appear')])
    await table.expectStored()
  })

  test('an insert adds the last row of each key', async () => {
    const table = await create(null)
    await table.apply('insert', [at(1, 'first'), at(2, 'only'), at(1, 'second')], [at(1, 'last')])
    await table.expectStored()
    expect(await table.stored()).toHaveLength(2)
  })

  test.each(['part', null])(
    'a delete removes the rows of its keys (partitioned by %s)',
    async (partitionBy) => {
      const table = await create(partitionBy)
      await table.append([at(1, 'a'), at(2, 'b'), at(3, 'c', null), at(4, 'd', null), at(5, 'e')])
      await table.apply('delete', [at(1, 'any note'), at(3, 'c', null), at(9, 'not there')])
      await table.expectStored()
      await table.apply('delete', [at(2, 'b'), at(2, 'twice'), at(4, 'd', null), at(5, 'e')])
      await table.expectStored()
      await table.apply('upsert', [at(1, 'again')])
      await table.expectStored()
    },
  )

  test('a delete that is applied again does not remove what came after it', async () => {
    const table = await create()
    await table.append([at(1, 'a'), at(2, 'b')])
    const batch = await table.stage([at(1, '')])
    const tag = table.nextTag()
    expect(await table.handle.apply(batch, 'delete', tag)).toMatchObject({
      alreadyApplied: false,
      commits: 1,
    })
    table.model.apply('delete', [at(1, '')])
    await table.upsert([at(1, 'new')])
    const repeated = { runId: table.runId, batchIndex: tag.batchIndex }
    expect(await table.handle.apply(batch, 'delete', repeated)).toMatchObject({ alreadyApplied: true })
    await table.expectStored()
  })

  test('deletes of several batches are one commit', async () => {
    const table = await create()
    await table.append([1, 2, 3, 4, 5].map((id) => at(id, 'stored')))
    const batches = [await table.stage([at(1, '')]), await table.stage([at(2, ''), at(3, '')])]
    const tagged = batches.map((batch, index) => ({
      batch,
      tag: { runId: `deleter ${index}`, batchIndex: 0 },
    }))
    const result = await table.handle.applyTogether(tagged, 'delete')
    expect(result.alreadyAppliedEach).toEqual([false, false])
    table.model.apply('delete', [at(1, ''), at(2, ''), at(3, '')])
    await table.expectStored()
  })
}
