import fc from 'fast-check'
import { assert, expect, test } from 'vitest'
import type { Judgement, Verdict } from '../../../reports/compare/judgement.ts'
import { compareResults } from '../../../reports/compare.ts'
import type { Cell, Results } from '../../../reports/schema.ts'
import { failedCell, madeUpResults, oomKilledCell, passedCell, wrongCell } from '../made-up-results.ts'
import { ARM, COUNT, fileOf, filesApart, filesOf, MEMORY, RATE, type Samples, TIME } from './made-up-pairs.ts'

const NOISE = [1.01, 0.98, 1.02, 0.99, 1, 1.03, 0.97, 1.01, 0.99, 1]
const CALM = NOISE.map((factor) => factor * 1000)
const shifted = (factor: number) => NOISE.toReversed().map((noise) => noise * 1000 * factor)

function judge(samples: Samples): Judgement {
  const [only] = compareResults(...filesOf({ it: samples })).judgements
  assert(only !== undefined)
  return only
}

const time = (candidate: readonly number[], baseline: readonly number[] = CALM) =>
  judge({ metric: TIME, baseline, candidate })

test('a slowdown of 20 % over ten calm pairs is worse, and a speed-up better', () => {
  const worse = time(shifted(1.2))
  expect(worse).toMatchObject({ verdict: 'worse', rule: 'paired', pairs: 10, morePairs: 0, mayBeWorse: true })
  expect(worse.ratio).toBeCloseTo(1.2, 2)
  assert(worse.low !== null && worse.high !== null && worse.smallestEffect !== null)
  expect(worse.low).toBeGreaterThan(1.1)
  expect(worse.high).toBeLessThan(1.3)
  expect(worse.smallestEffect).toBeLessThan(0.2)
  expect(time(shifted(1 / 1.2)).verdict).toBe('better')
})

test('what lies within the tolerance for sure is the same', () => {
  expect(time(shifted(1.01))).toMatchObject({ verdict: 'same', mayBeWorse: false })
})

test('six noisy pairs settle nothing and say how many more would', () => {
  const wild = [0.6, 1.5, 0.8, 1.4, 0.7, 1.6].map((factor) => factor * 1000)
  const judged = time(wild, CALM.slice(0, 6))
  expect(judged).toMatchObject({ verdict: 'inconclusive', mayBeWorse: true })
  expect(judged.morePairs).toBeGreaterThan(10)
})

test('one sample is inconclusive, however large the difference', () => {
  expect(time([5000], [1000])).toMatchObject({
    verdict: 'inconclusive',
    pairs: 1,
    morePairs: 5,
    smallestEffect: null,
  })
})

test('without any variance a difference beyond the tolerance is found, and none below it', () => {
  const flat = Array.from({ length: 7 }, () => 1000)
  expect(
    time(
      flat.map((value) => value * 1.1),
      flat,
    ).verdict,
  ).toBe('worse')
  expect(
    time(
      flat.map((value) => value * 1.01),
      flat,
    ).verdict,
  ).toBe('same')
  expect(time(flat, flat)).toMatchObject({ verdict: 'same', ratio: 1, p: 1 })
})

test('more is better for a rate', () => {
  expect(judge({ metric: RATE, baseline: CALM, candidate: shifted(0.8) }).verdict).toBe('worse')
  expect(judge({ metric: RATE, baseline: CALM, candidate: shifted(1.25) }).verdict).toBe('better')
})

test('twice of next to nothing is the same: 4 ms and 8 ms', () => {
  expect(
    time(
      shifted(0.008),
      NOISE.map((factor) => factor * 4),
    ).verdict,
  ).toBe('same')
})

test('memory that was not needed before is worse, from zero as well', () => {
  const none = Array.from({ length: 7 }, () => 0)
  const spill = (bytes: number) => judge({ metric: MEMORY, baseline: none, candidate: none.map(() => bytes) })
  expect(spill(100 * 1024 ** 2).verdict).toBe('worse')
  expect(spill(100 * 1024).verdict).toBe('same')
  expect(spill(0).verdict).toBe('same')
})

test('one request more is worse where requests repeat exactly, however small its share', () => {
  const requests = (count: number, n = 5) => Array.from({ length: n }, () => count)
  const judged = judge({ metric: COUNT, baseline: requests(707), candidate: requests(708) })
  expect(judged).toMatchObject({ verdict: 'worse', rule: 'exact', baseline: 707, candidate: 708, p: null })
  expect(judge({ metric: COUNT, baseline: requests(0), candidate: requests(1) }).verdict).toBe('worse')
  expect(judge({ metric: COUNT, baseline: requests(707), candidate: requests(706) }).verdict).toBe('better')
  expect(judge({ metric: COUNT, baseline: requests(707), candidate: requests(707) }).verdict).toBe('same')
  const twice = judge({ metric: COUNT, baseline: requests(707, 2), candidate: requests(708, 2) })
  expect(twice).toMatchObject({ verdict: 'inconclusive', morePairs: 1 })
})

test('a tolerance lets a count grow by its share, and no further', () => {
  const five = (count: number) => Array.from({ length: 5 }, () => count)
  const tolerances = { time: 0.05, cpu: 0.05, memory: 0.05, rate: 0.05, count: 0.01 }
  const verdict = (count: number) =>
    compareResults(...filesOf({ it: { metric: COUNT, baseline: five(1000), candidate: five(count) } }), {
      tolerances,
    }).judgements[0]?.verdict
  expect(verdict(1010)).toBe('same')
  expect(verdict(1011)).toBe('worse')
})

test('a count that differs by a byte between repetitions is no regression', () => {
  const bytes = [1_032_857, 1_032_858, 1_032_857, 1_032_858, 1_032_857, 1_032_738, 1_032_857]
  const judged = judge({ metric: COUNT, baseline: bytes, candidate: bytes.toReversed() })
  expect(judged).toMatchObject({ rule: 'paired', verdict: 'same' })
})

test('files measured one after the other take a larger difference of speed, and the same of memory', () => {
  const verdict = (metric: Samples['metric'], factor: number) =>
    compareResults(...filesApart({ it: { metric, baseline: CALM, candidate: shifted(factor) } }))
  expect(verdict(TIME, 1.5)).toMatchObject({ interleaved: false, judgements: [{ verdict: 'same' }] })
  expect(verdict(TIME, 2.5).judgements[0]?.verdict).toBe('worse')
  const large = {
    metric: MEMORY,
    baseline: CALM.map((v) => v * 1e5),
    candidate: shifted(1.12).map((v) => v * 1e5),
  }
  expect(compareResults(...filesApart({ it: large })).judgements[0]?.verdict).toBe('worse')
})

const positive = fc.double({ min: 1, max: 1e6, noNaN: true })
const pairs = fc.array(fc.tuple(positive, positive), { minLength: 1, maxLength: 14 })
const OPPOSITE: Readonly<Record<Verdict, Verdict>> = {
  better: 'worse',
  worse: 'better',
  same: 'same',
  inconclusive: 'inconclusive',
}

test('swapping the files swaps the verdict, the ratio and its interval', () => {
  fc.assert(
    fc.property(pairs, fc.constantFrom(TIME, MEMORY, RATE, COUNT), (values, metric) => {
      const [a, b] = [values.map(([first]) => first), values.map(([, second]) => second)]
      const forth = judge({ metric, baseline: a, candidate: b })
      const back = judge({ metric, baseline: b, candidate: a })
      expect(back.verdict).toBe(OPPOSITE[forth.verdict])
      assert(forth.ratio !== null && back.ratio !== null && forth.low !== null && back.high !== null)
      expect(forth.ratio * back.ratio).toBeCloseTo(1, 9)
      expect(forth.low * back.high).toBeCloseTo(1, 9)
    }),
  )
})

test('a file against itself is never worse or better', () => {
  fc.assert(
    fc.property(fc.array(positive, { minLength: 1, maxLength: 14 }), (values) => {
      const { verdict } = judge({ metric: TIME, baseline: values, candidate: values })
      expect(['same', 'inconclusive']).toContain(verdict)
    }),
  )
})

const ORDER: readonly Verdict[] = ['better', 'same', 'inconclusive', 'worse']

test('what gets slower by a factor never gets a better verdict', () => {
  fc.assert(
    fc.property(pairs, fc.double({ min: 1, max: 10, noNaN: true }), (values, factor) => {
      const [a, b] = [values.map(([first]) => first * 1000), values.map(([, second]) => second * 1000)]
      const before = judge({ metric: TIME, baseline: a, candidate: b })
      const after = judge({ metric: TIME, baseline: a, candidate: b.map((value) => value * factor) })
      if (before.verdict === 'worse') expect(after.verdict).toBe('worse')
      if (after.verdict === 'better') expect(before.verdict).toBe('better')
      if (before.verdict !== 'inconclusive' && after.verdict !== 'inconclusive')
        expect(ORDER.indexOf(after.verdict)).toBeGreaterThanOrEqual(ORDER.indexOf(before.verdict))
    }),
  )
})

test('the order of the repetitions and the unit do not matter', () => {
  fc.assert(
    fc.property(pairs, fc.double({ min: 100, max: 1000, noNaN: true }), (values, scale) => {
      const large = values.map(([a, b]) => [a * 1000, b * 1000] as const)
      const plain = judge({
        metric: TIME,
        baseline: large.map(([a]) => a),
        candidate: large.map(([, b]) => b),
      })
      const turned = large.toReversed().map(([a, b]) => [a * scale, b * scale] as const)
      const other = judge({
        metric: TIME,
        baseline: turned.map(([a]) => a),
        candidate: turned.map(([, b]) => b),
      })
      expect(other.ratio).toBeCloseTo(plain.ratio ?? NaN, 6)
      expect(other.verdict).toBe(plain.verdict)
    }),
  )
})

const repeated = (cellOf: (repetition: number) => Cell): Results =>
  fileOf(Array.from({ length: 7 }, (_, repetition) => cellOf(repetition)))
const passing = repeated((repetition) => passedCell('merge-partitions', ARM, repetition, repetition))

test('a wrong cell fails whatever else got better', () => {
  const wrong = repeated((repetition) =>
    repetition === 3
      ? wrongCell('merge-partitions', ARM, repetition)
      : passedCell('merge-partitions', ARM, repetition, repetition, 0.1),
  )
  const compared = compareResults(passing, wrong)
  expect(compared.verdict).toBe('wrong-data')
  expect(compared.outcomes[0]?.reason).toContain('row count: expected 1,010,000, found 1,009,998')
})

test('a lost row is wrong even where the candidate’s own oracle was content', () => {
  const lossy = repeated((repetition) => {
    const cell = passedCell('merge-partitions', ARM, repetition, repetition)
    assert(cell.oracle !== null)
    return { ...cell, oracle: { ...cell.oracle, rows: cell.oracle.rows - 1, contentHash: 'other' } }
  })
  const compared = compareResults(passing, lossy)
  expect(compared.verdict).toBe('wrong-data')
  expect(compared.outcomes[0]?.reason).toContain('1009999 rows')
})

test('one killed or failed cell where all passed is a regression, and the other way round an improvement', () => {
  for (const failed of [
    oomKilledCell('merge-partitions', ARM, 2),
    failedCell('merge-partitions', ARM, 2, 'gone'),
  ]) {
    const failing = repeated((repetition) =>
      repetition === 2 ? failed : passedCell('merge-partitions', ARM, repetition, repetition),
    )
    expect(compareResults(passing, failing)).toMatchObject({
      verdict: 'regression',
      outcomes: [{ verdict: 'worse' }],
    })
    expect(compareResults(failing, passing).outcomes[0]?.verdict).toBe('better')
  }
})

test('a candidate that left an arm out is inconclusive, and one more arm is no matter', () => {
  const [both, one] = [madeUpResults({ arms: [ARM, 'delta/merge'] }), madeUpResults({ arms: [ARM] })]
  expect(compareResults(both, one).outcomes.map(({ verdict }) => verdict)).toContain('inconclusive')
  expect(compareResults(both, one).verdict).toBe('inconclusive')
  expect(compareResults(one, both).outcomes.find(({ arm }) => arm === 'delta/merge')?.verdict).toBe('new')
})

test('files without a common cell are inconclusive and share nothing', () => {
  const compared = compareResults(fileOf([]), passing)
  expect(compared).toMatchObject({ verdict: 'inconclusive', shared: 0 })
})

test('a machine, a profile, a fixture or a setting that differs is told with both values; a version is what is compared', () => {
  const { environment, run, scenarios, cells } = passing
  const other: Results = {
    ...passing,
    run: { ...run, plan: { ...run.plan, profile: 'smoke' } },
    environment: { ...environment, cores: 64, versions: { ...environment.versions, deltalake: '1.7.0' } },
    scenarios: scenarios.map((scenario) => ({ ...scenario, memoryCapBytes: 512 * 1024 ** 2 })),
    cells: cells.map((cell) => ({ ...cell, settings: { ...cell.settings, threads: 1 } })),
  }
  const { differences } = compareResults(passing, other)
  expect(differences.conditions).toEqual([
    'cores: 2 in the baseline, 64 in the candidate',
    'profile: standard in the baseline, smoke in the candidate',
    'merge-partitions: memory cap: none in the baseline, 512 MiB in the candidate',
    'merge-partitions, ducklake/merge: threads: 2 in the baseline, 1 in the candidate',
  ])
  expect(differences.subject).toEqual(['deltalake: 1.6.6 in the baseline, 1.7.0 in the candidate'])
  expect(compareResults(passing, passing).differences).toEqual({ conditions: [], subject: [] })
})
