import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Random } from '../../../pipeline/sources/random.ts'
import { changePoints } from '../../../reports/history/change-points.ts'

const OPTIONS = { significance: 0.01, permutations: 199 }

function find(values: readonly number[], seed = 1): readonly number[] {
  const random = new Random(seed)
  return changePoints(values, { ...OPTIONS, random: () => random.share() })
}

/** Noise of ±5 % about a level. */
function noisy(random: Random, level: number, count: number): readonly number[] {
  return Array.from({ length: count }, () => level * (0.95 + random.share() / 10))
}

test('a level that rises by a fifth is found where it rises', () => {
  for (let seed = 1; seed <= 20; seed += 1) {
    const random = new Random(seed)
    const [at] = find([...noisy(random, 100, 12), ...noisy(random, 120, 12)], seed)
    expect(at).toBe(12)
  }
})

test('every level of several is found, whatever way they go', () => {
  const random = new Random(3)
  const values = [...noisy(random, 100, 12), ...noisy(random, 150, 10), ...noisy(random, 80, 11)]
  expect(find(values)).toEqual([12, 22])
})

test('of series without a change hardly one in a hundred has one', () => {
  let found = 0
  for (let seed = 1; seed <= 200; seed += 1)
    if (find(noisy(new Random(seed), 100, 20), seed).length > 0) found += 1
  expect(found).toBeLessThanOrEqual(6)
})

test('one run that is slow is no change', () => {
  expect(find([...noisy(new Random(5), 100, 10), 300, ...noisy(new Random(6), 100, 10)])).toEqual([])
})

test('values that are all the same, and few of them, have no change', () => {
  expect(find(Array.from({ length: 30 }, () => 7))).toEqual([])
  expect(find([1, 1, 1, 9, 9])).toEqual([])
  expect(find([])).toEqual([])
})

test('change points lie within the series, ascending, three values apart, and unit and offset do not move them', () => {
  const values = fc.array(fc.integer({ min: 1, max: 50 }), { maxLength: 30 })
  fc.assert(
    fc.property(values, fc.constantFrom(2, 4, 64), fc.constantFrom(0, 8, 1_024), (list, scale, offset) => {
      const found = find(list)
      const bounds = [0, ...found, list.length]
      for (const [index, bound] of bounds.slice(1).entries())
        if (found.length > 0) expect(bound - (bounds[index] ?? 0)).toBeGreaterThanOrEqual(3)
      expect(find(list.map((value) => value * scale + offset))).toEqual(found)
    }),
    { numRuns: 40 },
  )
})
