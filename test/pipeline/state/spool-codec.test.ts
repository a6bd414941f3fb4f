import fc from 'fast-check'
import { expect, test } from 'vitest'
import { DecimalText, type Row } from '../../../pipeline/sources/source.ts'
import { decodeRows, encodeRows } from '../../../pipeline/state/spool-codec.ts'

const value = fc.oneof(
  fc.constantFrom(null, undefined),
  fc.boolean(),
  fc.double(),
  fc.bigInt(),
  fc.string({ unit: 'binary' }),
  fc.date(),
  fc.uint8Array(),
  fc.stringMatching(/^-?\d{1,40}\.\d{1,9}$/).map((text) => new DecimalText(text)),
  fc.jsonValue(),
)
const rows: fc.Arbitrary<Row[]> = fc.array(fc.dictionary(fc.string(), value))

test('rows come out of the spool as they went in, whatever they hold', async () => {
  await fc.assert(
    fc.asyncProperty(rows, async (page) => {
      const decoded = await decodeRows(encodeRows({ rows: page }))
      expect(decoded.map((row) => ({ ...row }))).toStrictEqual(page.map((row) => ({ ...row })))
    }),
    { seed: 20261126 },
  )
})

test('rows of an API take a small part of their size', async () => {
  const page = Array.from({ length: 100 }, (_, index) => ({
    id: index,
    status: 'paid',
    note: 'x'.repeat(1_000),
  }))
  expect(encodeRows({ rows: page }).length).toBeLessThan(5_000)
})

test('rows come out of the answer that they came in, which is kept in their place', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.dictionary(fc.string(), fc.jsonValue())), async (data) => {
      const json = Buffer.from(JSON.stringify({ object: 'list', data, more: false }))
      const decoded = await decodeRows(encodeRows({ rows: [], answer: { json, rowsAt: 'data' } }))
      expect(decoded).toStrictEqual(JSON.parse(JSON.stringify(data)))
    }),
    { seed: 20261126 },
  )
})
