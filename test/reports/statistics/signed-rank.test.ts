import fc from 'fast-check'
import { expect, test } from 'vitest'
import { signedRankInterval } from '../../../reports/statistics/signed-rank.ts'

const values = fc.array(fc.double({ min: -1e3, max: 1e3, noNaN: true }), { minLength: 1, maxLength: 15 })
const oneTo = (n: number) => Array.from({ length: n }, (_, index) => index + 1)

test('the intervals are those of the printed tables', () => {
  // Two-sided 95 % of Wilcoxon's signed-rank test: n = 6 keeps all 21 averages, n = 10 drops 8 at each end, n = 15 drops 25.
  expect(signedRankInterval(oneTo(6))).toMatchObject({ centre: 3.5, low: 1, high: 6, coverage: 0.96875 })
  const averages = (n: number) =>
    oneTo(n)
      .flatMap((a) => oneTo(n).flatMap((b) => (b < a ? [] : [(a + b) / 2])))
      .toSorted((a, b) => a - b)
  expect(signedRankInterval(oneTo(10)).low).toBe(averages(10)[8])
  expect(signedRankInterval(oneTo(15)).low).toBe(averages(15)[25])
})

test('below six values no interval covers 95 %, and it says so', () => {
  expect(signedRankInterval([1, 2, 3, 4, 5])).toMatchObject({ sufficient: false, coverage: 0.9375 })
  expect(signedRankInterval([3])).toMatchObject({ centre: 3, low: 3, high: 3, sufficient: false })
})

test('it turns over with its values, and moves with them', () => {
  fc.assert(
    fc.property(values, fc.double({ min: -100, max: 100, noNaN: true }), (sample, shift) => {
      const plain = signedRankInterval(sample)
      const turned = signedRankInterval(sample.map((value) => -value))
      const moved = signedRankInterval(sample.map((value) => value + shift))
      expect(turned.centre).toBeCloseTo(-plain.centre, 9)
      expect(turned.low).toBeCloseTo(-plain.high, 9)
      expect(moved.low).toBeCloseTo(plain.low + shift, 6)
      expect(moved.high).toBeCloseTo(plain.high + shift, 6)
    }),
  )
})

test('one wild value of fifteen leaves the interval within the others', () => {
  const wild = signedRankInterval([...oneTo(14), 1e6])
  expect(wild.centre).toBeLessThan(9)
  expect(wild.high).toBeLessThan(15)
})

test('it holds the true centre as often as it says', () => {
  fc.assert(
    fc.property(fc.integer({ min: 6, max: 12 }), (n) => {
      // Every choice of signs of 1..n is as likely as any other where the centre is 0: count those whose interval holds it.
      let held = 0
      for (let signs = 0; signs < 2 ** n; signs += 1) {
        const { low, high } = signedRankInterval(
          oneTo(n).map((rank) => ((signs >> (rank - 1)) & 1 ? rank : -rank) + rank * 1e-9),
        )
        if (low < 0 && high > 0) held += 1
      }
      expect(held / 2 ** n).toBeGreaterThanOrEqual(0.95)
    }),
    { numRuns: 2 },
  )
})
