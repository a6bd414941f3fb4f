import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Timeline } from '../../../scenarios/measure/timeline.ts'

test('a timeline stays within its points, in the order of time, and loses no peak', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(1_000), { minLength: 1, maxLength: 400 }), (values) => {
      const timeline = new Timeline(8)
      for (const value of values) timeline.add(value)
      const { points } = timeline
      expect(points.length).toBeLessThanOrEqual(8)
      expect(points.length).toBeGreaterThanOrEqual(Math.min(4, values.length))
      expect(Math.max(...points.map(([, value]) => value))).toBe(Math.max(...values))
      const times = points.map(([ms]) => ms)
      expect(times).toEqual(times.toSorted((a, b) => a - b))
    }),
  )
})

test('few values are kept as they are', () => {
  const timeline = new Timeline(8)
  for (const value of [3, 1, 2]) timeline.add(value)
  expect(timeline.points.map(([, value]) => value)).toEqual([3, 1, 2])
})
