import { describe, expect, test } from 'vitest'
import { mergeRounds } from '../../../reports/compare/rounds.ts'
import { FAMILY_LEVEL } from '../../../reports/compare/rules.ts'
import { LOOKS, levelsOf, settle } from '../../../reports/compare/sequential.ts'
import { type Comparison, compareResults } from '../../../reports/compare.ts'
import { parseResults } from '../../../reports/schema.ts'
import { passedCell } from '../made-up-results.ts'
import { ARM, COUNT, fileOf, filesOf } from './made-up-pairs.ts'

test('all looks together spend no more than the error that one look would be allowed', () => {
  const looks = Array.from({ length: LOOKS.length + 1 }, (_, look) => levelsOf(look))
  expect(looks.reduce((sum, { familyLevel }) => sum + familyLevel, 0)).toBeLessThanOrEqual(FAMILY_LEVEL)
  expect(looks.reduce((sum, { confidence }) => sum + 1 - confidence, 0)).toBeLessThanOrEqual(0.05 + 1e-12)
})

test('the first look can already settle it: its interval is one that eight ranks have', () => {
  const { confidence } = levelsOf(0)
  expect(1 - confidence).toBeGreaterThanOrEqual(2 ** (1 - LOOKS[0]))
})

describe('looks', () => {
  /** Says what it is told to, one verdict a look and one of the confirmation, and has no more than so many pairs. */
  const source = (verdicts: readonly Comparison['verdict'][], most = Infinity) => {
    const [first] = filesOf({ requests: { metric: COUNT, baseline: [1], candidate: [1] } })
    const compared = compareResults(first, first)
    const pairs = {
      count: 0,
      looked: 0,
      upTo: (wanted: number) => {
        pairs.count = Math.min(wanted, most)
        return Promise.resolve(wanted <= most)
      },
      compared: () => {
        const verdict = verdicts[Math.min(pairs.looked, verdicts.length - 1)]
        pairs.looked += 1
        return { ...compared, verdict: verdict ?? compared.verdict }
      },
    }
    return pairs
  }

  test('stop at a pass and at wrong data, and go on with what is open until there is no more', async () => {
    expect(await settle(source(['pass']), {})).toMatchObject({ verdict: 'pass', pairs: 8 })
    expect(await settle(source(['inconclusive', 'wrong-data']), {})).toMatchObject({
      verdict: 'wrong-data',
      pairs: 12,
    })
    expect(await settle(source(['inconclusive']), {})).toMatchObject({ pairs: 120, note: 'not settled' })
    expect(await settle(source(['inconclusive'], 20), {})).toMatchObject({
      pairs: 20,
      note: 'the time was over',
    })
  })

  test('confirm an alarm on two thirds as many fresh pairs, or leave it open', async () => {
    expect(await settle(source(['regression']), {})).toMatchObject({ verdict: 'regression', pairs: 14 })
    // The alarm at 8 pairs, the confirmation that fails, and the look at 18.
    expect(await settle(source(['regression', 'pass', 'pass']), {})).toMatchObject({
      verdict: 'pass',
      pairs: 18,
    })
    expect(await settle(source(['regression', 'inconclusive'], 20), {})).toMatchObject({
      verdict: 'inconclusive',
      note: 'fresh pairs did not confirm the alarm',
    })
    // 8 and 6 pairs deny it, and all 120 together raise it once more, at the last look and at the end: nothing has confirmed that.
    const never = [
      'regression',
      'inconclusive',
      ...LOOKS.slice(2).map(() => 'inconclusive' as const),
    ] as const
    expect(await settle(source([...never, 'regression']), {})).toMatchObject({
      verdict: 'inconclusive',
      pairs: 120,
      note: 'fresh pairs did not confirm the alarm',
    })
    expect(await settle(source(['inconclusive', 'regression'], 15), {})).toMatchObject({
      verdict: 'inconclusive',
      note: 'no time was left to confirm the alarm',
    })
  })
})

test('rounds become the repetitions of one run that the schema accepts', () => {
  const round = (repetitions: readonly number[]) =>
    fileOf(repetitions.map((repetition) => passedCell('merge-partitions', ARM, repetition, repetition)))
  const merged = mergeRounds([round([0, 1]), round([0]), round([0, 1])])
  expect(merged.cells.map(({ repetition }) => repetition)).toEqual([0, 1, 2, 3, 4])
  expect(parseResults(JSON.stringify(merged)).scenarios[0]?.repeat).toBe(5)
})
