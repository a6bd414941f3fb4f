import { expect, test } from 'vitest'
import { useLake } from '../contract/lake.ts'
import { optional, required } from '../contract/rows.ts'
import { applyThroughConflicts } from '../contract/table.ts'

const lake = useLake('ducklake/merge', 's3')
const COLUMNS = [required('id', 'int64'), optional('note', 'string')]

test('without tags a batch counts as often as it is applied, and none are in the table', async () => {
  const table = await lake().createTable({ columns: COLUMNS, primaryKey: ['id'] })
  await table.reopen(await lake().connect({ commitTags: false }))
  const batch = await table.stage([{ id: 1, note: 'a' }])
  const tag = table.nextTag()
  for (const _ of [1, 2]) {
    expect(await table.handle.apply(batch, 'append', tag)).toMatchObject({ alreadyApplied: false })
    table.model.apply('append', [{ id: 1, note: 'a' }])
  }
  expect(await table.handle.appliedThrough(tag.runId)).toBeNull()
  await table.expectStored()
})

test('two upserts of one new key at once add it once, because of their tags', async () => {
  const table = await lake().createTable({ columns: COLUMNS, primaryKey: ['id'] })
  const other = await (await lake().connect()).open(table.spec)
  const batches = [await table.stage([{ id: 7, note: 'same' }]), await table.stage([{ id: 7, note: 'same' }])]
  const handles = [table.handle, other]
  await Promise.all(
    batches.map((batch, index) =>
      applyThroughConflicts(handles[index] ?? other, batch, 'upsert', {
        runId: `run ${index}`,
        batchIndex: 0,
      }),
    ),
  )
  table.model.apply('upsert', [{ id: 7, note: 'same' }])
  await table.expectStored()
})
