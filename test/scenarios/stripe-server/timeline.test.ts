import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Timeline } from '../../../scenarios/stripe-server/timeline.ts'

const timelines = fc
  .record({
    count: fc.nat(500),
    span: fc.integer({ min: 1, max: 100_000 }),
    appended: fc.array(
      fc.record({ count: fc.integer({ min: 1, max: 40 }), gap: fc.option(fc.nat(5000)), span: fc.nat(100) }),
      { maxLength: 4 },
    ),
  })
  .map(({ count, span, appended }) => {
    const timeline = new Timeline(count, 1_000_000, span)
    let end = 1_000_000 + span
    for (const { count: more, gap, span: width } of appended) {
      if (gap !== null) end += gap + width
      timeline.append(more, gap === null ? null : end - width, width)
    }
    return timeline
  })

test('created never falls with the index, over all that was appended', () => {
  fc.assert(
    fc.property(timelines, (timeline) => {
      for (let index = 1; index < timeline.count; index += 1)
        expect(timeline.createdSeconds(index)).toBeGreaterThanOrEqual(timeline.createdSeconds(index - 1))
    }),
  )
})

test('the first index at or after a second parts the objects in two', () => {
  fc.assert(
    fc.property(timelines, fc.integer({ min: 990_000, max: 1_130_000 }), (timeline, seconds) => {
      const first = timeline.firstAtOrAfter(seconds)
      const created = Array.from({ length: timeline.count }, (_, index) => timeline.createdSeconds(index))
      expect(created.slice(0, first).every((one) => one < seconds)).toBe(true)
      expect(created.slice(first).every((one) => one >= seconds)).toBe(true)
    }),
  )
})

test('objects share seconds, also with those that are appended in the same one', () => {
  const timeline = new Timeline(7, 1000, 700)
  timeline.append(2, null, 0)
  expect(Array.from({ length: 9 }, (_, index) => timeline.createdSeconds(index))).toEqual([
    1000, 1000, 1000, 1300, 1300, 1300, 1600, 1600, 1600,
  ])
})
