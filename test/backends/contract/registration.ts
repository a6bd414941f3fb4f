import { expect, test } from 'vitest'
import type { Format } from '../../../backends/backend.ts'
import { formatOf } from '../../../backends/backend.ts'
import type { LakeType } from '../../../backends/schema.ts'
import { deleteFiles } from '../../../platform/storage/files.ts'
import { expectFailure } from './errors.ts'
import type { TestLake } from './lake.ts'
import type { Row } from './rows.ts'
import { optional, required } from './rows.ts'
import type { PartContent } from './staging.ts'
import type { TestTable } from './table.ts'

const DECIMAL: LakeType = { kind: 'decimal', precision: 12, scale: 2 }
const COLUMNS = [
  required('id', 'int64'),
  optional('note', 'string'),
  optional('price', DECIMAL),
  optional('ratio', 'float64'),
  optional('day', 'date'),
  optional('at', 'timestamptz'),
  optional('local', 'timestamp'),
  optional('small', 'int8'),
  optional('tags', { kind: 'list', element: { kind: 'int32' } }),
  optional('pair', { kind: 'struct', fields: [optional('a', 'int32'), optional('b', 'string')] }),
]
const row = (id: number): Row => ({
  id: String(id),
  note: id % 5 === 0 ? null : `note ${id}`,
  price: `${id}.25`,
  ratio: id === 7 ? 'NaN' : id / 2,
  day: `2026-01-${String(10 + (id % 10))}`,
  at: `2026-01-01 00:00:0${id % 10}.000001+00`,
  local: `9999-12-31 23:59:5${id % 10}.999999`,
  small: (id % 200) - 100,
  tags: [id, null],
  pair: { a: id, b: 'x' },
})
const rows = (from: number, count = 10) => Array.from({ length: count }, (_, index) => row(from + index))

/** What bounds a row group of either format, in a setting's own name: so low that every row group is too large. */
const NARROW_ROW_GROUPS: Readonly<Record<Format, object>> = {
  ducklake: { rowGroupBytes: 1 },
  delta: { rowGroupPayloadBytes: 1 },
}

export function registrationTests(lake: () => TestLake): void {
  const create = (partitionBy: string | null = null) =>
    lake().createTable({ columns: COLUMNS, primaryKey: ['id'], partitionBy })
  const appended = async (table: TestTable, ...parts: readonly (readonly Row[] | PartContent)[]) =>
    (await table.append(...parts)).engine['filesRegistered'] ?? 0

  test("parts that are as the table's own files are copied, and the staged ones may go", async () => {
    const table = await create()
    const batch = await table.stage(rows(0), [], { rows: rows(20), columns: COLUMNS.toReversed() })
    const result = await table.handle.apply(batch, 'append', table.nextTag())
    table.model.apply('append', [...rows(0), ...rows(20)])
    expect(result).toMatchObject({
      rowsRead: 20,
      rowsInserted: 20,
      commits: 1,
      engine: { filesRegistered: 2 },
    })
    await deleteFiles(
      lake().environment.storage,
      batch.parts.map(({ uri }) => uri),
    )
    await table.reopen(await lake().connect())
    await table.expectStored()
    expect(await table.handle.describe()).toMatchObject({ rows: 20, dataFiles: 2, columns: COLUMNS })
  })

  test('registered rows are found by every filter, upserted, evolved, widened and maintained', async () => {
    const table = await create()
    expect(await appended(table, rows(0), rows(10))).toBe(2)
    const conditions = [
      'id = 7',
      'id > 18',
      'id > 19',
      "note = 'note 13'",
      'note IS NULL',
      'price = 13.25',
      'ratio = 4',
      "day = DATE '2026-01-19'",
      `"at" = TIMESTAMPTZ '2026-01-01 00:00:09.000001+00'`,
      `"local" = TIMESTAMP '9999-12-31 23:59:59.999999'`,
      'small < -99',
    ]
    const expectFound = async (...more: readonly string[]) => {
      const query = await lake().watch(table.spec)
      for (const condition of [...conditions, ...more]) {
        const [found] = await query((from) => `SELECT count(*) AS n FROM ${from} WHERE ${condition}`)
        const [scanned] = await query(
          (from) =>
            `WITH rows AS MATERIALIZED (FROM ${from}) SELECT count(*) FILTER (${condition}) AS n FROM rows`,
        )
        expect([condition, found]).toEqual([condition, scanned])
      }
    }
    // What delta-rs writes later leaves NaN out of its ranges.
    await expectFound("ratio = 'nan'", 'ratio > 9')
    await table.upsert([{ ...row(7), note: 'changed' }, row(100)])
    await table.expectStored()
    await expectFound()
    const columns = [
      ...COLUMNS.map((column) => (column.name === 'small' ? optional('small', 'int32') : column)),
      optional('extra', 'bool'),
    ]
    await table.handle.evolve(columns.slice(-1))
    await table.handle.evolve(columns)
    table.model.spec = { ...table.spec, columns }
    await table.expectStored()
    expect(
      await appended(
        table,
        rows(200).map((added) => ({ ...added, small: 70_000, extra: true })),
      ),
    ).toBe(1)
    await table.handle.maintain()
    await table.expectStored()
    await expectFound()
  })

  const UNLIKE: readonly (PartContent & { readonly name: string })[] = [
    { name: 'a narrower type', rows: [row(50)], types: { price: 'DECIMAL(9,2)' } },
    { name: 'a missing column', rows: [{ ...row(50), pair: null }], columns: COLUMNS.slice(0, -1) },
    { name: 'an unsigned type', rows: [row(50)], types: { id: 'UINTEGER' } },
  ]
  test.each(UNLIKE)(
    'a part with $name is read and written in the columns of the table',
    async ({ name: _name, ...part }) => {
      const table = await create()
      expect(await appended(table, rows(0), part)).toBe(0)
      await table.expectStored()
    },
  )

  test.each([
    { name: 'a partitioned table', partitionBy: 'note', settings: () => ({}) },
    {
      name: 'row groups above the bound',
      partitionBy: null,
      settings: (format: Format) => NARROW_ROW_GROUPS[format],
    },
    { name: 'registerParts off', partitionBy: null, settings: () => ({ registerParts: false }) },
  ])('with $name the rows are read and written', async ({ partitionBy, settings }) => {
    const table = await create(partitionBy)
    await table.reopen(await lake().connect({ ...settings(formatOf(lake().arm)) }))
    expect(await appended(table, rows(0))).toBe(0)
    await table.expectStored()
  })

  test('a NULL in a column that is not nullable is refused, and nothing is added', async () => {
    const table = await create()
    const batch = await table.stage(rows(0), [{ ...row(50), id: null }])
    await expectFailure(table.handle.apply(batch, 'append', table.nextTag()), 'BATCH_INVALID')
    expect(await table.handle.describe()).toMatchObject({ rows: 0, dataFiles: 0 })
    await table.expectStored()
  })

  test('a batch that conflicts is registered once', async () => {
    const table = await create()
    const batch = await table.stage(rows(0))
    const tag = table.nextTag()
    const other = await (await lake().connect()).open(table.spec)
    const results = await Promise.allSettled(
      [table.handle, other].map((handle) => handle.apply(batch, 'append', tag)),
    )
    expect(results.some(({ status }) => status === 'fulfilled')).toBe(true)
    await other.close()
    table.model.apply('append', rows(0))
    await table.expectStored()
    expect((await table.handle.describe()).dataFiles).toBe(1)
  })
}
