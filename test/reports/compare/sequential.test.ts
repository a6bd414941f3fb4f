import { expect, test } from 'vitest'
import { mergeRounds } from '../../../reports/compare/rounds.ts'
import { FAMILY_LEVEL } from '../../../reports/compare/rules.ts'
import { LOOKS, levelsOf, stepAfter } from '../../../reports/compare/sequential.ts'
import { parseResults } from '../../../reports/schema.ts'
import { passedCell } from '../made-up-results.ts'
import { ARM, fileOf } from './made-up-pairs.ts'

test('all looks together spend no more than the error that one look would be allowed', () => {
  const looks = Array.from({ length: LOOKS.length + 1 }, (_, look) => levelsOf(look))
  expect(looks.reduce((sum, { familyLevel }) => sum + familyLevel, 0)).toBeLessThanOrEqual(FAMILY_LEVEL)
  expect(looks.reduce((sum, { confidence }) => sum + 1 - confidence, 0)).toBeLessThanOrEqual(0.05 + 1e-12)
})

test('an alarm is confirmed, what is open goes on, and a pass or wrong data stops', () => {
  expect(stepAfter({ verdict: 'regression' })).toBe('confirm')
  expect(stepAfter({ verdict: 'inconclusive' })).toBe('more')
  expect(stepAfter({ verdict: 'pass' })).toBe('stop')
  expect(stepAfter({ verdict: 'wrong-data' })).toBe('stop')
})

test('rounds become the repetitions of one run that the schema accepts', () => {
  const round = (repetitions: readonly number[]) =>
    fileOf(repetitions.map((repetition) => passedCell('merge-partitions', ARM, repetition, repetition)))
  const merged = mergeRounds([round([0, 1]), round([0]), round([0, 1])])
  expect(merged.cells.map(({ repetition }) => repetition)).toEqual([0, 1, 2, 3, 4])
  expect(parseResults(JSON.stringify(merged)).scenarios[0]?.repeat).toBe(5)
})
