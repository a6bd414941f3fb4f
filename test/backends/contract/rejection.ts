import { expect, test } from 'vitest'
import { expectFailure } from './errors.ts'
import type { TestLake } from './lake.ts'
import { optional, required } from './rows.ts'
import type { PartContent } from './staging.ts'

const COLUMNS = [required('id', 'int64'), optional('note', 'string'), optional('small', 'int32')]

const MISMATCHES: readonly (PartContent & { readonly name: string })[] = [
  {
    name: 'text in a column of numbers',
    rows: [{ id: 1, note: 'a', small: 'seven' }],
    types: { small: 'VARCHAR' },
  },
  {
    name: 'digits as text in a column of numbers',
    rows: [{ id: 1, note: 'a', small: '7' }],
    types: { small: 'VARCHAR' },
  },
  {
    name: 'a wider type than the column',
    rows: [{ id: 1, note: 'a', small: 7 }],
    types: { small: 'BIGINT' },
  },
  { name: 'numbers in a column of text', rows: [{ id: 1, note: '7', small: 7 }], types: { note: 'BIGINT' } },
  {
    name: 'a column that the table lacks',
    rows: [{ id: 1, note: 'a', small: 7, unknown: 'x' }],
    columns: [...COLUMNS, optional('unknown', 'string')],
  },
]

export function rejectionTests(lake: () => TestLake): void {
  const create = async () => {
    const table = await lake().createTable({ columns: COLUMNS, primaryKey: ['id'] })
    await table.append([{ id: 1, note: 'stored', small: 1 }])
    return table
  }

  test.each(MISMATCHES)(
    'a part with $name is refused, and the table stays as it is',
    async ({ name: _name, ...part }) => {
      const table = await create()
      const { version } = await table.handle.describe()
      for (const mode of ['append', 'upsert', 'replace'] as const) {
        const batch = await table.stage([{ id: 2, note: 'good', small: 2 }], part)
        const call = table.handle.apply(batch, mode, { runId: `bad ${mode}`, batchIndex: 0 })
        await expectFailure(call, 'SCHEMA_MISMATCH')
        expect(await table.handle.appliedThrough(`bad ${mode}`)).toBeNull()
      }
      expect((await table.handle.describe()).version).toBe(version)
      await table.upsert([{ id: 1, note: 'still works', small: 2 }])
      await table.expectStored()
    },
  )

  test('a part without a column that is not nullable is refused, and the table stays as it is', async () => {
    const table = await create()
    for (const mode of ['append', 'upsert', 'replace'] as const) {
      const batch = await table.stage({ rows: [{ note: 'a', small: 7 }], columns: COLUMNS.slice(1) })
      const call = table.handle.apply(batch, mode, { runId: `lacking ${mode}`, batchIndex: 0 })
      await expectFailure(call, 'SCHEMA_MISMATCH', 'BATCH_INVALID')
    }
    await table.expectStored()
  })

  test('a NULL in a column that is not nullable is refused, and the table stays as it is', async () => {
    const table = await create()
    for (const mode of ['append', 'upsert', 'replace'] as const) {
      const batch = await table.stage([
        { id: 2, note: 'good', small: 2 },
        { id: null, note: 'no key', small: 2 },
      ])
      const call = table.handle.apply(batch, mode, { runId: `null ${mode}`, batchIndex: 0 })
      await expectFailure(call, 'SCHEMA_MISMATCH', 'BATCH_INVALID')
    }
    await table.expectStored()
  })

  test('a part that does not exist is named, and the table stays as it is', async () => {
    const table = await create()
    const good = await table.stage([{ id: 2, note: 'good', small: 2 }])
    const missing = { uri: lake().partUri(), rows: 1, bytes: 100, payloadBytes: 100 }
    const batch = { parts: [...good.parts, missing] }
    for (const mode of ['append', 'upsert', 'replace'] as const) {
      const call = table.handle.apply(batch, mode, { runId: `missing ${mode}`, batchIndex: 0 })
      const error = await expectFailure(call, 'BATCH_INVALID')
      expect(error.message).toContain(missing.uri)
      expect(await table.handle.appliedThrough(`missing ${mode}`)).toBeNull()
    }
    await table.expectStored()
  })

  test('a batch that was refused can be applied after it was put right, with the same tag', async () => {
    const table = await create()
    const tag = table.nextTag()
    const bad = await table.stage({ rows: [{ id: 2, note: 'x', small: 'bad' }], types: { small: 'VARCHAR' } })
    await expectFailure(table.handle.apply(bad, 'upsert', tag), 'SCHEMA_MISMATCH')
    const good = await table.stage([{ id: 2, note: 'x', small: 2 }])
    expect(await table.handle.apply(good, 'upsert', tag)).toMatchObject({ alreadyApplied: false })
    table.model.apply('upsert', [{ id: 2, note: 'x', small: 2 }])
    await table.expectStored()
  })
}
