import fc from 'fast-check'
import { assert, expect, test } from 'vitest'
import { type PairedRatio, pairedRatio } from '../../../reports/statistics/paired-ratio.ts'

const value = fc.double({ min: 1e-3, max: 1e6, noNaN: true })
const pairs = fc.array(fc.tuple(value, value), { minLength: 1, maxLength: 30 })
const left = (list: readonly (readonly [number, number])[]) => list.map(([a]) => a)
const right = (list: readonly (readonly [number, number])[]) => list.map(([, b]) => b)

function ratioOf(a: readonly number[], b: readonly number[]): PairedRatio {
  const ratio = pairedRatio(a, b)
  assert(ratio !== null)
  return ratio
}

test('a disturbed round cancels, because it slows both of its pair', () => {
  const ratio = ratioOf([40, 400, 44], [10, 100, 11])
  expect(ratio.ratio).toBeCloseTo(4, 12)
  expect(ratio.low).toBeCloseTo(4, 12)
  expect(ratio.high).toBeCloseTo(4, 12)
  expect(ratio).toMatchObject({ n: 3, agreeing: 3, sufficient: false })
})

test('pairs on the other side of 1 do not agree', () => {
  expect(ratioOf([2, 2, 2, 1], [1, 1, 1, 2]).agreeing).toBe(3)
})

test('there is no ratio without pairs or to zero', () => {
  expect(pairedRatio([], [])).toBeNull()
  expect(pairedRatio([1, 2], [1, 0])).toBeNull()
  expect(pairedRatio([0, 2], [1, 1])).toBeNull()
})

test('samples of different length are no pairs', () => {
  expect(() => pairedRatio([1, 2], [1])).toThrow('Pairs need equal samples, not 2 and 1.')
})

test('ratio(a, b) is 1 / ratio(b, a), and its interval turns over with it', () => {
  fc.assert(
    fc.property(pairs, (list) => {
      const forth = ratioOf(left(list), right(list))
      const back = ratioOf(right(list), left(list))
      // At 1 but for rounding no side is the ratio's own, so that none agrees with it.
      fc.pre(Math.abs(forth.ratio - 1) > 1e-9)
      expect(forth.ratio * back.ratio).toBeCloseTo(1, 9)
      expect(forth.low * back.high).toBeCloseTo(1, 9)
      expect(forth.agreeing).toBe(back.agreeing)
    }),
  )
})

test('the unit of measurement does not change the ratio', () => {
  fc.assert(
    fc.property(pairs, fc.double({ min: 1e-3, max: 1e3, noNaN: true }), (list, scale) => {
      const plain = ratioOf(left(list), right(list))
      const scaled = ratioOf(
        left(list).map((a) => a * scale),
        right(list).map((b) => b * scale),
      )
      expect(scaled.ratio / plain.ratio).toBeCloseTo(1, 9)
      expect(scaled.high / plain.high).toBeCloseTo(1, 9)
    }),
  )
})

test('the order of the pairs does not change the ratio', () => {
  fc.assert(
    fc.property(pairs, (list) => {
      const reversed = list.toReversed()
      expect(ratioOf(left(reversed), right(reversed))).toEqual(ratioOf(left(list), right(list)))
    }),
  )
})
