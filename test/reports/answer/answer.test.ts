import fc from 'fast-check'
import { assert, expect, test } from 'vitest'
import { differencesOf } from '../../../reports/answer/results-set.ts'
import type { Source, Statement } from '../../../reports/answer/statement.ts'
import { state } from '../../../reports/answer/statement.ts'
import { type Answers, answerFrom } from '../../../reports/answer.ts'
import { metricsOf } from '../../../reports/metrics.ts'
import type { Results } from '../../../reports/schema.ts'
import { median } from '../../../reports/statistics/quantile.ts'
import { madeUpResults, madeUpScenario, measuredCell } from '../made-up-results.ts'
import { type Caps, concurrency, memoryCap, nested, type Paces, pace, resultsOf } from './made-up-answers.ts'

const DUCK = 'ducklake/merge'
const DELTA = 'delta/deltalite'

const sentences = (answers: Answers) => answers.answers.map(({ sentence }) => sentence?.text ?? null)
const memory = (caps: Caps) => sentences(answerFrom([resultsOf([memoryCap(caps)])]))[0] ?? ''
const writers = (paces: Paces) => sentences(answerFrom([resultsOf([concurrency(paces)])]))[1] ?? ''
const delta = (caps: Caps, paces: Paces) =>
  sentences(answerFrom([resultsOf([memoryCap(caps), concurrency(paces)])]))[2] ?? ''

test('memory: a need that stays the same while the table grows is well managed', () => {
  expect(memory({ [DUCK]: [200, 205], [DELTA]: [210, 500] })).toBe(
    'Well, its need stays the same as the table grows: ducklake/merge merges into 400 MiB of compressed table within 205 MiB (185 MiB failed), 0.51× of it; the best Delta arm, delta/deltalite, needs 500 MiB (450 MiB failed), 2.4× of that; when the table grows 4.0×, the need grows 1.02×',
  )
})

test('memory: the verdict follows how the need grows', () => {
  expect(memory({ [DUCK]: [200, 300] })).toMatch(/^Fairly, its need grows much less than the table: /)
  expect(memory({ [DUCK]: [200, 700] })).toMatch(/^Badly, its need grows with the table: /)
  expect(memory({ [DUCK]: [200, 700] })).toContain('grows 3.5×')
  expect(memory({ [DUCK]: [200, 700] })).not.toContain('Delta')
})

test('memory: one table size tells no growth, and that is said to be not measured', () => {
  const { scenario, cells } = memoryCap({ [DUCK]: [200, 205] })
  const [answer] = answerFrom([resultsOf([{ scenario, cells: cells.slice(0, 1) }])]).answers
  expect(answer?.sentence?.text).toMatch(/^Measured at one table size: /)
  expect(answer?.unmeasured.join(' ')).toContain('Whether the need grows with the table')
})

test('memory: the arm with the least need speaks for its format', () => {
  const caps = { [DUCK]: [200, 205], 'ducklake/delete-insert': [150, 155], [DELTA]: [210, 215] } as const
  expect(memory(caps)).toContain(
    'ducklake/delete-insert merges into 400 MiB of compressed table within 155 MiB',
  )
})

test('concurrency: more commits from more writers are efficient', () => {
  expect(writers({ [DUCK]: { none: [pace(5), pace(40)] } })).toBe(
    "Efficient, more writers commit more: ducklake/merge with 16 writers makes 40.4 commits/s with 1.50 attempts per commit, the p99 7.0× the p50, 8.0× one writer's, 0 rows lost or doubled, 6 cells all right",
  )
})

test('concurrency: the verdict follows the pace of many writers against one', () => {
  expect(writers({ [DUCK]: { none: [pace(5), pace(5)] } })).toMatch(/^No faster than one writer: /)
  expect(writers({ [DUCK]: { none: [pace(5), pace(2)] } })).toMatch(
    /^Inefficient, more writers commit less: /,
  )
})

test('concurrency: coordination is held against the engine alone', () => {
  const said = writers({ [DUCK]: { none: [pace(5), pace(4)], group: [pace(5), pace(20)] } })
  expect(said).toMatch(/^Efficient when coordinated, more writers commit more: /)
  expect(said).toContain('coordinated by group makes 20.2 commits/s')
  expect(said).toContain("5.0× the engine's own pace")
})

test('concurrency: a lost row decides before any pace does', () => {
  const lossy = { none: [pace(5), pace(40, 3)] } as const
  expect(writers({ [DUCK]: { none: [pace(5, 1), pace(40)] } })).toMatch(/^Not safely: /)
  expect(writers({ [DUCK]: { none: [pace(5, 1), pace(40)], lock: [pace(5), pace(20)] } })).toMatch(
    /^Only with coordination: .*3 rows lost or doubled, 3 of 6 cells wrong \(ducklake\/merge at writers 1, /,
  )
  expect(writers({ [DUCK]: { none: [pace(5), pace(9)], lock: [pace(5, 1), pace(20)] } })).toMatch(
    /^Not safely, even coordinated: /,
  )
  // With the most writers all cells are wrong, so that nothing is left to tell a pace by.
  expect(sentences(answerFrom([resultsOf([concurrency({ [DUCK]: lossy })])]))[1]).toBeNull()
})

test('concurrency: a wrong value makes a cell unsafe though no row is lost or doubled', () => {
  const { scenario, cells } = concurrency({ [DUCK]: { none: [pace(5), pace(40)] } })
  const findings = [{ check: 'content', expected: 'a', actual: 'b' }]
  const spoilt = cells.map((cell, index) =>
    index === 0 && cell.status === 'ok' ? { ...cell, status: 'wrong-data' as const, findings } : cell,
  )
  const [, answer] = answerFrom([resultsOf([{ scenario, cells: spoilt }])]).answers
  expect(answer?.sentence?.text).toMatch(/^Not safely: .*0 rows lost or doubled, 1 of 6 cells wrong/)
})

test('concurrency: what a second run finds wrong is held against its arm, though it is in no figure', () => {
  const { scenario, cells } = concurrency({ [DUCK]: { none: [pace(5), pace(40)] } })
  const findings = [{ check: 'distinct keys', expected: '10', actual: '9' }]
  const [first] = cells
  if (first?.status !== 'ok') throw new Error('a made-up cell that passed')
  const twin = { ...first, id: `${first.id}-control`, control: true, status: 'wrong-data' as const, findings }
  const [, answer] = answerFrom([resultsOf([{ scenario, cells: [...cells, twin] }])]).answers
  expect(answer?.sentence?.text).toMatch(/^Not safely: .*1 of 7 cells wrong/)
})

test('Delta: memory, pace and safety decide between yes, partly and no', () => {
  const even: Paces = { [DUCK]: { none: [pace(5), pace(20)] }, [DELTA]: { none: [pace(5), pace(19)] } }
  const slow: Paces = { [DUCK]: { none: [pace(5), pace(20)] }, [DELTA]: { none: [pace(5), pace(2)] } }
  const wrong: Paces = {
    [DUCK]: { none: [pace(5), pace(20)] },
    [DELTA]: { none: [pace(5, 1), pace(2)] },
  }
  expect(delta({ [DUCK]: [200, 200], [DELTA]: [210, 220] }, even)).toMatch(/^Yes: /)
  expect(delta({ [DUCK]: [200, 200], [DELTA]: [210, 220] }, slow)).toMatch(
    /^Partly: .*0\.10× what ducklake\/merge makes/,
  )
  expect(delta({ [DUCK]: [200, 200], [DELTA]: [400, 900] }, wrong)).toMatch(
    /^No: .*4\.5× the memory of ducklake\/merge.*3 rows lost or doubled/,
  )
})

test('Delta: what was not measured is left out of the verdict, and named', () => {
  const [, , answer] = answerFrom([
    resultsOf([memoryCap({ [DUCK]: [200, 200], [DELTA]: [210, 220] })]),
  ]).answers
  expect(answer?.sentence?.text).toMatch(/^Yes, as far as memory goes: /)
  expect(answer?.unmeasured).toContain('Concurrency on Delta: nothing here holds it against DuckLake.')
})

test('Delta: coordinated writers count where there are any, since nobody has to leave engines alone', () => {
  const paces: Paces = {
    [DUCK]: { none: [pace(5), pace(20)], lock: [pace(5), pace(20)] },
    [DELTA]: { none: [pace(5, 2), pace(19)], lock: [pace(5), pace(19)] },
  }
  expect(delta({ [DUCK]: [200, 200], [DELTA]: [200, 200] }, paces)).toMatch(/^Yes: .*0 rows lost or doubled/)
})

test('Delta: a table that a fault left wrong is not safe, and its point is named', () => {
  const faults = { value: 4, unit: 'count', better: 'neither', kind: 'count' } as const
  const axes = [{ name: 'fault', unit: null, description: '', values: ['s3-reset', 's3-down'] }]
  const scenario = madeUpScenario({ name: 'catalog-faults', axes, repeat: 1 })
  const cells = ['s3-reset', 's3-down'].map((fault) =>
    measuredCell({ scenario: 'catalog-faults', arm: DELTA, repetition: 0, point: { fault } }, { faults }),
  )
  const findings = [{ check: 'row count', expected: '100', actual: '99' }]
  const wrong = cells.map((cell, index) =>
    index === 1 ? { ...cell, status: 'wrong-data' as const, findings } : cell,
  )
  const said = (made: Results['cells']) => sentences(answerFrom([resultsOf([{ scenario, cells: made }])]))[2]
  expect(said(cells)).toBe(
    'Yes, as far as safety goes: of Delta tables 8 faults, 2 cells all right in catalog-faults',
  )
  expect(said(wrong)).toBe(
    'No, as far as safety goes: of Delta tables 8 faults, 1 of 2 cells wrong (delta/deltalite at fault s3-down) in catalog-faults',
  )
})

test('results without any of the scenarios answer nothing, and say what is missing', () => {
  const { answers, decisions } = answerFrom([resultsOf([])])
  expect(answers.map(({ sentence, figures }) => ({ sentence, figures }))).toEqual(
    answers.map(() => ({ sentence: null, figures: [] })),
  )
  expect(answers[0]?.unmeasured[0]).toContain('memory-cap, merge-partitions, wide-json and longevity')
  expect(decisions).toEqual([])
})

test('an arm that passed nowhere is named with what happened to it', () => {
  const { scenario, cells } = memoryCap({ [DUCK]: [200, 205], [DELTA]: [210, 220] })
  const failed = cells.map((cell) => {
    if (cell.arm !== DELTA) return cell
    const { phases: _phases, oracle: _oracle, ...rest } = cell
    return {
      ...rest,
      status: 'engine-error' as const,
      phase: 'apply',
      completed: {},
      code: 'ENGINE_FAILED',
      message: 'x',
    }
  })
  const [answer] = answerFrom([resultsOf([{ scenario, cells: failed }])]).answers
  expect(answer?.unmeasured).toContain(
    'delta/deltalite in memory-cap, which passed nowhere: failed in apply: ENGINE_FAILED.',
  )
})

test('no statement can be made without a figure', () => {
  expect(() => state`DuckLake is ${'fast'}`).toThrow('no figure of the results is behind "DuckLake is fast"')
})

test('every sentence rests on figures that are those of the results', () => {
  const positive = fc.double({ min: 1, max: 1000, noNaN: true })
  const needs = fc.tuple(positive, positive)
  const pairs = fc.tuple(
    positive.map((value) => pace(value)),
    positive.map((value) => pace(value)),
  )
  fc.assert(
    fc.property(needs, needs, pairs, pairs, (duckNeed, deltaNeed, duckPace, deltaPace) => {
      const results = resultsOf([
        memoryCap({ [DUCK]: duckNeed, [DELTA]: deltaNeed }),
        concurrency({ [DUCK]: { none: duckPace }, [DELTA]: { none: deltaPace } }),
      ])
      const made = statementsOf(answerFrom([results]))
      expect(made.length).toBeGreaterThan(6)
      for (const { text, sources } of made) {
        expect(text).toMatch(/\d/)
        expect(sources.length).toBeGreaterThan(0)
        for (const source of sources) expect(valuesOf(results, source)).toContain(source.value)
      }
    }),
    { numRuns: 30 },
  )
})

test('batch results give figures to the memory and the Delta answer', () => {
  const { answers, decisions } = answerFrom([madeUpResults()])
  expect(answers[0]?.figures.map(({ text }) => text)).toContain(
    'In merge-partitions, ducklake/merge adds 163 MiB (160 MiB to 166 MiB, n 5); delta/deltalite adds 153 MiB (150 MiB to 156 MiB, n 5).',
  )
  expect(answers[2]?.figures[0]?.text).toMatch(
    /^In merge-partitions, delta\/deltalite takes 13\.2 s \(.*, 1\.5× of ducklake\/merge with/,
  )
  assert(decisions[0] !== undefined)
  expect(decisions[0]).toMatchObject({
    when: 'a small batch touches every partition',
    choose: [DUCK],
    sureness: 'all 5 repetitions agree, 1.13–1.20×',
  })
  expect(decisions[0].because.text).toMatch(
    /^apply wall: ducklake\/merge 8\.42 s, ducklake\/delete-insert 9\.72 s \(1\.13×\), delta/,
  )
})

test('neighbours on an axis with the same choice are one row of the decision table', () => {
  const { decisions } = answerFrom([
    resultsOf([
      concurrency({ [DUCK]: { none: [pace(5), pace(40)] }, [DELTA]: { none: [pace(3), pace(4)] } }),
      memoryCap({ [DUCK]: [250, 250], [DELTA]: [200, 900] }),
    ]),
  ])
  expect(decisions.map(({ when, choose }) => [when, ...choose])).toEqual([
    [
      'several writers commit at once, writers 1 to 16, operation upsert-existing, target own-partition',
      'ducklake/merge (coordination none)',
    ],
    ['memory is scarce, table size 1', DELTA],
    ['memory is scarce, table size 4', DUCK],
  ])
})

test('coordination is part of what is chosen, and the best of all its values is named', () => {
  const paces: Paces = {
    [DUCK]: { none: [pace(5, 1), pace(40, 1)], lock: [pace(5), pace(9)], group: [pace(4), pace(30)] },
    [DELTA]: { none: [pace(1), pace(2)] },
  }
  const { decisions } = answerFrom([resultsOf([concurrency(paces)])])
  expect(decisions.map(({ when, choose }) => [when.split(', ')[1], ...choose])).toEqual([
    ['writers 1', 'ducklake/merge (coordination lock)'],
    ['writers 16', 'ducklake/merge (coordination group)'],
  ])
})

test('arms that the repetitions do not tell apart are both to choose', () => {
  const { scenario, cells } = concurrency({
    [DUCK]: { none: [pace(5), pace(40)] },
    [DELTA]: { none: [pace(5), pace(40)] },
  })
  const [first] = answerFrom([resultsOf([{ scenario, cells }])]).decisions
  const both = ['ducklake/merge (coordination none)', 'delta/deltalite (coordination none)']
  expect(first?.choose).toEqual(both)
  expect(first?.sureness).toBe(`the repetitions don't tell ${both.join(' and ')} apart`)
})

test('of two runs of a scenario the newer one counts', () => {
  const older = resultsOf([memoryCap({ [DUCK]: [200, 205] })])
  const newer = resultsOf([memoryCap({ [DUCK]: [100, 101] })])
  const later = { ...newer, run: { ...newer.run, startedAt: '2027-01-05T10:00:00.000Z' } }
  expect(sentences(answerFrom([later, older]))[0]).toContain('within 101 MiB')
  expect(answerFrom([later, older]).runs.map(({ scenarios }) => scenarios)).toEqual([['memory-cap'], []])
})

test.each([
  [900, 1_800, 'ducklake/merge (parents stored)'],
  [1_800, 900, 'ducklake/merge (parents listed)'],
])(
  'where an import has a choice of its own, the choice follows the figures: %i ms stored, %i ms listed',
  (stored, listed, choice) => {
    const { decisions } = answerFrom([resultsOf([nested(stored, listed)])])
    expect(decisions.map(({ when, choose }) => [when, ...choose])).toEqual([
      ['child rows need their parents, invoices 400 rows', choice],
    ])
    expect(decisions[0]?.because.text).toContain('wall')
  },
)

function statementsOf({ answers, decisions }: Answers): readonly Statement[] {
  return [
    ...answers.flatMap(({ sentence, figures }) => [...(sentence === null ? [] : [sentence]), ...figures]),
    ...decisions.map(({ because }) => because),
  ]
}

/** All values that a source could have: of single cells, and the median of the arm's cells at each point. */
function valuesOf({ cells }: Results, { scenario, arm, metric }: Source): readonly number[] {
  const own = cells.filter((cell) => cell.scenario === scenario && cell.arm === arm)
  const value = (cell: Results['cells'][number]) => metricsOf(cell).get(metric)?.value ?? Number.NaN
  const byPoint = Map.groupBy(own, ({ point }) => JSON.stringify(point))
  return [...own.map(value), ...[...byPoint.values()].map((same) => median(same.map(value)))]
}

test('an engine that only one of the runs used is no difference, another version of it is one', () => {
  const of = (duckdb: string | null): Results => {
    const { environment, ...rest } = resultsOf([])
    return { ...rest, environment: { ...environment, versions: { ...environment.versions, duckdb } } }
  }
  expect(differencesOf([of(null), of('1.5.5'), of('1.5.5')])).toEqual([])
  expect(differencesOf([of(null), of('1.5.5'), of('1.5.6')])).toEqual(['duckdb: 1.5.5 and 1.5.6'])
})
