import fc from 'fast-check'
import { expect, test } from 'vitest'
import { upperQuantile, upperTail } from '../../../reports/statistics/student-t.ts'

test('the quantiles are those of the printed tables', () => {
  // One-sided, from Abramowitz and Stegun, table 26.10.
  const table = [
    [1, 0.025, 12.706],
    [2, 0.05, 2.92],
    [5, 0.05, 2.015],
    [6, 0.025, 2.447],
    [9, 0.005, 3.25],
    [30, 0.01, 2.457],
  ] as const
  for (const [freedom, probability, t] of table) {
    expect(upperQuantile(probability, freedom)).toBeCloseTo(t, 3)
    expect(upperTail(t, freedom)).toBeCloseTo(probability, 4)
  }
})

test('half lies above zero, nothing above infinity, and both sides make one', () => {
  fc.assert(
    fc.property(
      fc.double({ min: -50, max: 50, noNaN: true }),
      fc.integer({ min: 1, max: 60 }),
      (t, freedom) => {
        expect(upperTail(t, freedom) + upperTail(-t, freedom)).toBeCloseTo(1, 12)
        expect(upperTail(0, freedom)).toBeCloseTo(0.5, 12)
        expect(upperTail(Infinity, freedom)).toBe(0)
      },
    ),
  )
})

test('the larger t is, the less lies above it', () => {
  const t = fc.double({ min: 0, max: 100, noNaN: true })
  fc.assert(
    fc.property(t, t, fc.integer({ min: 1, max: 40 }), (a, b, freedom) => {
      const [low, high] = [Math.min(a, b), Math.max(a, b)]
      expect(upperTail(high, freedom)).toBeLessThanOrEqual(upperTail(low, freedom) + 1e-15)
    }),
  )
})

test('degrees of freedom that are none, and probabilities that are none, are refused', () => {
  expect(() => upperTail(1, 0)).toThrow('not 0')
  expect(() => upperTail(1, 2.5)).toThrow('not 2.5')
  expect(() => upperQuantile(0, 3)).toThrow('not 0')
})
