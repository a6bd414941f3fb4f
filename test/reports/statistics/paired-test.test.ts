import fc from 'fast-check'
import { expect, test } from 'vitest'
import { holm } from '../../../reports/statistics/holm.ts'
import { pairedTest, pairsToSee, smallestDifference } from '../../../reports/statistics/paired-test.ts'

const differences = fc.array(fc.double({ min: -2, max: 2, noNaN: true }), { minLength: 2, maxLength: 20 })

test('it gives the p-value of Student’s test by hand', () => {
  // Mean 0.1, deviation √(0.001 / 5) over 6 values: t = 0.1 / (0.01414 / √6) = 17.32, two-sided with 5 degrees of freedom.
  expect(pairedTest([0.1, 0.12, 0.08, 0.1, 0.11, 0.09])).toBeCloseTo(1.175e-5, 8)
})

test('without variance it is certain of a difference, and of none', () => {
  expect(pairedTest([0.1, 0.1, 0.1])).toBe(0)
  expect(pairedTest([0, 0, 0])).toBe(1)
})

test('one pair shows nothing', () => {
  expect(pairedTest([5])).toBe(1)
  expect(smallestDifference([5], 0.01)).toBeNull()
})

test('the p-value is the same whichever side is taken from the other', () => {
  fc.assert(
    fc.property(differences, (sample) => {
      expect(pairedTest(sample)).toBeCloseTo(pairedTest(sample.map((value) => -value)), 12)
    }),
  )
})

test('as many pairs as are asked for do see the difference', () => {
  fc.assert(
    fc.property(differences, fc.double({ min: 0.05, max: 1, noNaN: true }), (sample, difference) => {
      const needed = pairsToSee(difference, sample, 0.01, 1000)
      const seen = smallestDifference(sample, 0.01)
      if (needed !== null && seen !== null && needed <= sample.length)
        expect(seen).toBeLessThanOrEqual(difference + 1e-9)
    }),
  )
})

test('Holm’s adjustment is that of his example by hand, in the order given', () => {
  expect(holm([0.01, 0.04, 0.03, 0.005])).toEqual([0.03, 0.06, 0.06, 0.02])
  expect(holm([])).toEqual([])
})

test('an adjusted p-value is never smaller, keeps the order, and is at most that of Bonferroni', () => {
  fc.assert(
    fc.property(
      fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 1, maxLength: 30 }),
      (pValues) => {
        const adjusted = holm(pValues)
        for (const [index, p] of pValues.entries()) {
          expect(adjusted[index]).toBeGreaterThanOrEqual(p)
          expect(adjusted[index]).toBeLessThanOrEqual(Math.min(1, p * pValues.length) + 1e-12)
        }
      },
    ),
  )
})
