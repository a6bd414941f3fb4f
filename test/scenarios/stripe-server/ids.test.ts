import fc from 'fast-check'
import { expect, test } from 'vitest'
import { IdCodec, INDEX_LIMIT } from '../../../scenarios/stripe-server/ids.ts'

const indexes = fc.integer({ min: 0, max: INDEX_LIMIT - 1 })
const invoices = new IdCodec({ prefix: 'in_1', accountDigits: 'Ab3xYz' }, 7)

test('an id tells its index to the codec that made it', () => {
  fc.assert(
    fc.property(indexes, (index) => {
      const id = invoices.encode(index)
      expect(id).toMatch(/^in_1[0-9A-Za-z]{14}Ab3xYz$/)
      expect(invoices.decode(id)).toBe(index)
    }),
  )
})

test('an id of another seed, another kind or another hand is unknown', () => {
  fc.assert(
    fc.property(indexes, fc.nat(17), (index, place) => {
      const id = invoices.encode(index)
      const changed = id.slice(0, 4 + place) + (id[4 + place] === 'q' ? 'r' : 'q') + id.slice(5 + place)
      expect(new IdCodec({ prefix: 'in_1', accountDigits: 'Ab3xYz' }, 8).decode(id)).toBeNull()
      expect(new IdCodec({ prefix: 'ch_3', accountDigits: 'Ab3xYz' }, 7).decode(id)).toBeNull()
      expect(invoices.decode(changed)).toBeNull()
    }),
  )
  expect(invoices.decode('in_1')).toBeNull()
  expect(invoices.decode('in_1€€€€€€')).toBeNull()
})

test('ids of neighbours look unlike each other', () => {
  const heads = Array.from({ length: 1000 }, (_, index) => invoices.encode(index).slice(6, 8))
  expect(new Set(heads).size).toBeGreaterThan(800)
})
