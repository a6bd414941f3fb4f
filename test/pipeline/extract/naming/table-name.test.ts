import fc from 'fast-check'
import { expect, test } from 'vitest'
import { tableNameSchema } from '../../../../backends/schema.ts'
import { tableName } from '../../../../pipeline/extract/naming/table-name.ts'

test.each([
  ['InvoiceLineItems', 'invoice_line_items'],
  ['public.orders', 'public_orders'],
  ['2024 sales', '_2024_sales'],
  ['lakeduel_runs', '_lakeduel_runs'],
  ['٣ things', '_things'],
  ["orders'; DROP TABLE x; --", 'orders_drop_table_xxxx'],
])('table %j is called %s', (source, name) => {
  expect(tableName(source)).toBe(name)
})

test('every name that is not blank gives one that the lake takes', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 100 }), (source) => {
      fc.pre(/\S/.test(source))
      expect(tableNameSchema.safeParse(tableName(source)).success).toBe(true)
    }),
  )
})

test('a blank name is refused', () => {
  expect(() => tableName(' ')).toThrow('name of the table is empty')
})
