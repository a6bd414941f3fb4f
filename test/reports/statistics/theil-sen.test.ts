import fc from 'fast-check'
import { expect, test } from 'vitest'
import { growthOf } from '../../../reports/statistics/theil-sen.ts'

const power = (a: number, b: number, xs: readonly number[]) => xs.map((x) => [x, a * x ** b] as const)

test('the exponent of a power law is found, whatever its factor', () => {
  const exponents = fc.double({ min: -3, max: 3, noNaN: true })
  fc.assert(
    fc.property(exponents, fc.double({ min: 0.001, max: 1000, noNaN: true }), (exponent, factor) => {
      expect(growthOf(power(factor, exponent, [1, 2, 4, 8]))?.exponent).toBeCloseTo(exponent, 6)
    }),
  )
})

test('what stays the same has the exponent 0', () => {
  expect(
    growthOf([
      [1, 5],
      [10, 5],
      [100, 5],
    ]),
  ).toEqual({ exponent: 0, low: 0, high: 0, n: 3 })
})

test('one outlier among many points moves the exponent little and shows in its range', () => {
  const points = power(1, 1, [1, 2, 4, 8, 16, 32, 64])
  const spoilt = points.map(([x, y]) => [x, x === 8 ? y * 50 : y] as const)
  const growth = growthOf(spoilt)
  expect(growth?.exponent).toBeCloseTo(1, 1)
  expect(growth?.high).toBeGreaterThan(3)
})

test('two points, one x, and a value of zero have no exponent', () => {
  expect(growthOf(power(1, 1, [1, 2]))).toBeNull()
  expect(
    growthOf([
      [3, 1],
      [3, 2],
      [3, 4],
    ]),
  ).toBeNull()
  expect(
    growthOf([
      [0, 1],
      [1, 2],
      [2, 4],
    ]),
  ).toBeNull()
})
