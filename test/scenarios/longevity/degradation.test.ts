import fc from 'fast-check'
import { expect, test } from 'vitest'
import { degradation } from '../../../scenarios/longevity/degradation.ts'

test('a figure that grows by a tenth each round degrades by a tenth, without variance', () => {
  const found = degradation([100, 110, 121, 133.1])
  expect(found?.rate).toBeCloseTo(0.1, 10)
  expect(found?.variance).toBeCloseTo(0, 10)
})

test('the rate is the mean of the relative changes, and the variance is theirs', () => {
  expect(degradation([100, 200, 100])).toEqual({ rate: 0.25, variance: 1.125 })
})

test('one round says nothing about degradation', () => {
  expect(degradation([100])).toBeNull()
  expect(degradation([])).toBeNull()
})

test('the rate does not depend on the unit', () => {
  const figures = fc.array(fc.double({ min: 1, max: 1e6, noNaN: true }), { minLength: 2, maxLength: 30 })
  fc.assert(
    fc.property(figures, (values) => {
      const scaled = degradation(values.map((value) => value * 1024))
      expect(scaled?.rate).toBeCloseTo(degradation(values)?.rate ?? Number.NaN, 6)
    }),
  )
})
