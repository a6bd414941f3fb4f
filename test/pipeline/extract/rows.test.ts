import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { LakeType } from '../../../backends/schema.ts'
import { RowBuffer } from '../../../pipeline/extract/rows/row-buffer.ts'
import { arrowRows } from '../../../pipeline/extract/staging/arrow-batch.ts'
import { TextRoom } from '../../../pipeline/extract/staging/layout.ts'
import { DecimalText, type Row, type SourceColumn } from '../../../pipeline/sources/source.ts'
import { decimal, planOf, SOURCE_TABLE } from './columns.ts'

const column = (name: string, type: LakeType): SourceColumn => ({ name, type, nullable: true })
const DECLARED = [
  column('id', { kind: 'int64' }),
  column('name', { kind: 'string' }),
  column('note', { kind: 'string' }),
  column('amount', decimal(12, 2)),
  column('at', { kind: 'timestamptz' }),
  column('active', { kind: 'bool' }),
  column('document', { kind: 'json' }),
]

const rowArbitrary = fc.record({
  id: fc.integer(),
  name: fc.string({ unit: 'grapheme', maxLength: 60 }),
  note: fc.option(fc.string({ maxLength: 200 }), { nil: null }),
  amount: fc.integer({ min: -1e6, max: 1e6 }).map((cents) => new DecimalText((cents / 100).toFixed(2))),
  at: fc.date({ noInvalidDate: true, min: new Date(0), max: new Date(2e12) }),
  active: fc.boolean(),
  document: fc.oneof(fc.json({ maxDepth: 2 }), fc.dictionary(fc.string(), fc.integer())),
})

describe('what a row takes', () => {
  test.each([
    ['declared', DECLARED],
    ['inferred', null],
  ])('is estimated to within a tenth of its Arrow payload, with %s types', async (_, columns) => {
    await fc.assert(
      fc.asyncProperty(fc.array(rowArbitrary, { minLength: 200, maxLength: 300 }), async (rows) => {
        const plan = planOf({ table: { ...SOURCE_TABLE, columns } })
        const buffer = new RowBuffer(plan.hints())
        for (const row of rows) buffer.add(row)
        const estimated = buffer.payloadByRow.reduce((sum, bytes) => sum + bytes, 0)
        const { payloadBytes } = await arrowRows(plan.settle(buffer), 0, rows.length, new TextRoom())
        expect(estimated / payloadBytes).toBeGreaterThan(0.9)
        expect(estimated / payloadBytes).toBeLessThan(1.1)
      }),
      { numRuns: 20 },
    )
  })

  test('counts columns that a row does not have, as Arrow does', async () => {
    const rows: Row[] = Array.from({ length: 500 }, (_, i) => ({ id: i, [`field ${i % 100}`]: i }))
    const plan = planOf()
    const buffer = new RowBuffer(plan.hints())
    for (const row of rows) buffer.add(row)
    const estimated = buffer.payloadByRow.slice(-100).reduce((sum, bytes) => sum + bytes, 0)
    const { payloadBytes } = await arrowRows(plan.settle(buffer), 400, 500, new TextRoom())
    expect(estimated / payloadBytes).toBeGreaterThan(0.9)
    expect(estimated / payloadBytes).toBeLessThan(1.1)
  })
})

test('rows with columns of their own get nulls for those of others', () => {
  const buffer = new RowBuffer(planOf().hints())
  buffer.add({ a: 1 })
  buffer.add({ b: 2, a: undefined })
  buffer.add({ c: 3 })
  expect(buffer.columns().map(({ source, cells }) => [source, cells])).toEqual([
    ['a', [1, null, null]],
    ['b', [null, 2, null]],
    ['c', [null, null, 3]],
  ])
})

test.each([
  ['a function', () => 1],
  ['a value that contains itself', circular()],
  ['a decimal that is none', new DecimalText('1.2.3')],
])('%s is refused, with the column and no value', (_, value) => {
  const buffer = new RowBuffer(planOf().hints())
  const failing = () => buffer.add({ secret: value })
  expect(failing).toThrow(expect.objectContaining({ code: 'BATCH_INVALID', facts: { column: 'secret' } }))
})

function circular(): unknown {
  const list: unknown[] = []
  list.push(list)
  return list
}
