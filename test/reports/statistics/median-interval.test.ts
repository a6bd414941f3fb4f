import fc from 'fast-check'
import { expect, test } from 'vitest'
import { medianInterval, repetitionsFor } from '../../../reports/statistics/median-interval.ts'

const oneTo = (n: number) => Array.from({ length: n }, (_, index) => index + 1)

test('five repetitions give no 95 % interval, and say what their range covers', () => {
  const interval = medianInterval(oneTo(5))
  expect(interval).toMatchObject({ n: 5, median: 3, low: 1, high: 5, sufficient: false })
  expect(interval.coverage).toBeCloseTo(1 - 2 / 32, 12)
})

test('six repetitions are the first whose range covers 95 %', () => {
  expect(repetitionsFor()).toBe(6)
  expect(medianInterval(oneTo(6))).toMatchObject({ low: 1, high: 6, sufficient: true, coverage: 0.96875 })
})

test('larger samples drop the extremes that the confidence does not need', () => {
  // Tabulated values of the sign-test interval at 95 %: n = 9 keeps x2..x8, n = 20 keeps x6..x15.
  expect(medianInterval(oneTo(9))).toMatchObject({ low: 2, high: 8 })
  expect(medianInterval(oneTo(20))).toMatchObject({ low: 6, high: 15 })
  expect(medianInterval(oneTo(20)).coverage).toBeCloseTo(0.9586, 4)
})

test('one repetition covers nothing', () => {
  expect(medianInterval([7])).toMatchObject({ low: 7, high: 7, coverage: 0, sufficient: false })
})

test('the interval holds the median of the sample and ignores its order', () => {
  const samples = fc.array(fc.integer({ min: -1e6, max: 1e6 }), { minLength: 1, maxLength: 60 })
  fc.assert(
    fc.property(samples, (values) => {
      const interval = medianInterval(values)
      expect(interval.low).toBeLessThanOrEqual(interval.median)
      expect(interval.high).toBeGreaterThanOrEqual(interval.median)
      expect(interval.sufficient).toBe(values.length >= 6)
      expect(medianInterval(values.toReversed())).toEqual(interval)
    }),
  )
})

test('the stated coverage is what random samples show', () => {
  const uniform = seededUniform(42)
  const rounds = 20_000
  let held = 0
  for (let round = 0; round < rounds; round += 1) {
    const interval = medianInterval(Array.from({ length: 7 }, uniform))
    if (interval.low <= 0.5 && interval.high >= 0.5) held += 1
  }
  expect(held / rounds).toBeCloseTo(medianInterval(oneTo(7)).coverage, 2)
})

/** The mulberry32 generator: the same numbers on every machine. */
function seededUniform(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}
