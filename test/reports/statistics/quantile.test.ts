import fc from 'fast-check'
import { expect, test } from 'vitest'
import { median, quantile } from '../../../reports/statistics/quantile.ts'

const samples = fc.array(fc.double({ min: -1e9, max: 1e9, noNaN: true }), { minLength: 1, maxLength: 40 })

test('the median of an even sample is the mean of its two middle values', () => {
  expect(median([4, 1, 3, 2])).toBe(2.5)
  expect(median([9, 1, 5])).toBe(5)
})

test('quantiles interpolate as type 7 of Hyndman and Fan does', () => {
  expect(quantile([10, 20, 30, 40], 0.25)).toBe(17.5)
  expect(quantile([10, 20, 30, 40], 1)).toBe(40)
})

test('a quantile of nothing is an error, not a figure', () => {
  expect(() => median([])).toThrow('A sample of 0 has no value')
  expect(() => quantile([1], 1.5)).toThrow('between 0 and 1')
})

test('quantiles do not depend on the order of the sample and lie within it', () => {
  fc.assert(
    fc.property(samples, fc.double({ min: 0, max: 1, noNaN: true }), (values, q) => {
      const result = quantile(values, q)
      expect(quantile(values.toReversed(), q)).toBe(result)
      expect(result).toBeGreaterThanOrEqual(Math.min(...values))
      expect(result).toBeLessThanOrEqual(Math.max(...values))
    }),
  )
})

test('a quantile grows with q', () => {
  const q = fc.double({ min: 0, max: 1, noNaN: true })
  fc.assert(
    fc.property(samples, q, q, (values, a, b) => {
      const slack = 1e-6
      expect(quantile(values, Math.min(a, b))).toBeLessThanOrEqual(quantile(values, Math.max(a, b)) + slack)
    }),
  )
})
