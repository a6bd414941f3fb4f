import { describe, expect, test } from 'vitest'
import { expectFailure } from './errors.ts'
import type { TestLake } from './lake.ts'
import { optional, required } from './rows.ts'

const COLUMNS = [
  required('id', 'int64'),
  required('region', 'string'),
  optional('note', 'string'),
  optional('amount', 'int32'),
]
const at = (id: number, note: string | null, amount: number | null = id) => ({
  id,
  region: id % 2 ? 'odd' : 'even',
  note,
  amount,
})

export function appendTests(lake: () => TestLake): void {
  test('a new table is empty', async () => {
    const table = await lake().createTable({ columns: COLUMNS })
    await table.expectStored()
    expect(await table.handle.appliedThrough(table.runId)).toBeNull()
  })

  test('appends add all rows of all parts, also equal ones', async () => {
    const table = await lake().createTable({ columns: COLUMNS })
    const result = await table.append([at(1, 'a'), at(1, 'a')], [at(2, null)])
    expect(result).toMatchObject({ alreadyApplied: false, rowsRead: 3 })
    await table.append([at(1, 'a')])
    await table.expectStored()
  })

  test('an empty batch changes no row, and counts as applied', async () => {
    const table = await lake().createTable({ columns: COLUMNS, primaryKey: ['id'] })
    await table.append([at(1, 'a')])
    await table.upsert()
    await table.upsert([])
    expect(await table.append([])).toMatchObject({ rowsRead: 0 })
    await table.expectStored()
    expect(await table.handle.appliedThrough(table.runId)).toBe(3)
  })
}

export function upsertTests(lake: () => TestLake): void {
  describe.each([null, 'region'])('with partitionBy %j', (partitionBy) => {
    const create = () => lake().createTable({ columns: COLUMNS, primaryKey: ['id'], partitionBy })

    test('an upsert of new keys adds them, also to an empty table', async () => {
      const table = await create()
      const first = await table.upsert([at(1, 'a'), at(2, 'b')])
      expect([2, null]).toContain(first.rowsInserted)
      expect([0, null]).toContain(first.rowsUpdated)
      await table.upsert([at(3, 'c')])
      await table.expectStored()
    })

    test('an upsert of stored keys replaces their rows and no others', async () => {
      const table = await create()
      await table.append([at(1, 'a'), at(2, 'b'), at(3, 'c'), at(4, 'd')])
      const result = await table.upsert([at(2, 'B', 20), at(3, 'c')])
      expect([0, null]).toContain(result.rowsInserted)
      await table.expectStored()
    })

    test('an upsert of stored and new keys does both', async () => {
      const table = await create()
      await table.append([at(1, 'a'), at(2, 'b')])
      const result = await table.upsert([at(2, 'B')], [at(3, 'C'), at(1, 'A')])
      expect(result).toMatchObject({ alreadyApplied: false, rowsRead: 3 })
      expect([1, null]).toContain(result.rowsInserted)
      expect([2, null]).toContain(result.rowsUpdated)
      expect(result.attempts).toBeGreaterThanOrEqual(1)
      await table.expectStored()
    })

    test('of a key that occurs twice in a batch the last row is kept', async () => {
      const table = await create()
      await table.append([at(1, 'stored')])
      await table.upsert(
        [at(1, 'first'), at(2, 'first'), at(1, 'second'), at(2, null)],
        [at(1, 'third'), at(3, 'only')],
        [at(1, 'last')],
      )
      await table.expectStored()
    })

    test('the last row is kept also over more rows than a vector or a row group holds', async () => {
      const table = await create()
      const rows = (from: number) =>
        Array.from({ length: 4000 }, (_, index) => at(index % 37, `row ${from + index}`))
      await table.upsert(rows(0), rows(4000))
      await table.expectStored()
    })

    test('values of matched rows become null where the batch has nulls, also in all other columns', async () => {
      const table = await create()
      await table.append([at(1, 'a'), at(2, 'b')])
      await table.upsert([at(1, null, null), at(3, null, null)])
      await table.expectStored()
    })

    test('a nullable column that the parts lack is filled with nulls', async () => {
      const table = await create()
      await table.append([at(1, 'a'), at(2, 'b')])
      const columns = COLUMNS.filter((column) => column.name !== 'note')
      await table.upsert({ rows: [at(2, null), at(3, null)], columns })
      await table.append({ rows: [at(4, null)], columns: columns.toReversed() })
      await table.expectStored()
    })

    test('parts of a batch may lack different columns and order the others as they like', async () => {
      const table = await create()
      const without = (name: string) => COLUMNS.filter((column) => column.name !== name)
      await table.upsert(
        { rows: [at(1, null), at(2, null)], columns: without('note').toReversed() },
        { rows: [at(3, 'c', null)], columns: without('amount') },
      )
      await table.expectStored()
    })
  })

  describe.each([null, 'tenant'])('a composite key with partitionBy %j', (partitionBy) => {
    const columns = [optional('tenant', 'string'), optional('id', 'int64'), optional('note', 'string')]

    test('NULL in it equals NULL, in the table and within a batch', async () => {
      const table = await lake().createTable({ columns, primaryKey: ['tenant', 'id'], partitionBy })
      const row = (tenant: string | null, id: number | null, note: string) => ({ tenant, id, note })
      await table.upsert([
        row(null, 1, 'a'),
        row('x', null, 'b'),
        row('x', 1, 'c'),
        row('null', 1, 'd'),
        row(null, null, 'e'),
      ])
      await table.upsert([
        row(null, 1, 'A'),
        row('x', null, 'first'),
        row('x', null, 'B'),
        row(null, null, 'E'),
        row(null, 2, 'new'),
      ])
      await table.expectStored()
    })
  })

  test('a key of text is told apart by every character', async () => {
    const table = await lake().createTable({
      columns: [required('code', 'string'), optional('n', 'int32')],
      primaryKey: ['code'],
    })
    const codes = [
      '',
      ' ',
      'a',
      'A',
      "it's",
      'a"b',
      'a\\b',
      'é',
      'e\u0301',
      '漢',
      '😀',
      'a\nb',
      '%',
      '1',
      '01',
    ]
    await table.upsert(codes.map((code, n) => ({ code, n })))
    await table.upsert(codes.map((code, n) => ({ code, n: n + 100 })))
    await table.expectStored()
  })

  test.each(['upsert', 'insert', 'delete'] as const)(
    'the mode %s is refused in a table without a primary key',
    async (mode) => {
      const table = await lake().createTable({ columns: COLUMNS })
      await table.append([at(1, 'a')])
      const batch = await table.stage([at(1, 'b')])
      await expectFailure(table.handle.apply(batch, mode, table.nextTag()), 'BATCH_INVALID')
      await table.expectStored()
    },
  )
}
