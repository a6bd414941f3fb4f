import { assert, expect, test } from 'vitest'
import type { Cell, Results } from '../../reports/schema.ts'
import { median } from '../../reports/statistics/quantile.ts'
import { type ScenarioSummary, summarize } from '../../reports/summary.ts'
import { madeUpApplyMs, madeUpResults, oomKilledCell, passedCell, wrongCell } from './made-up-results.ts'

function withCells(cells: readonly Cell[]): Results {
  const results = madeUpResults()
  return { ...results, scenarios: results.scenarios.slice(0, 1), cells: [...cells] }
}

function firstScenario(results: Results): ScenarioSummary {
  const scenario = summarize(results).scenarios[0]
  assert(scenario !== undefined)
  return scenario
}

const armsOf = (scenario: ScenarioSummary | undefined) => scenario?.points[0]?.arms ?? []
const rounds = [0, 1, 2, 3, 4]
const warningsOf = (results: Results) => summarize(results).warnings.map(({ message }) => message)

test('arms are ranked by their median time, and the failed ones follow', () => {
  const [merge, wide] = summarize(madeUpResults()).scenarios
  expect(armsOf(merge).map(({ arm }) => arm)).toEqual([
    'ducklake/merge',
    'ducklake/delete-insert',
    'delta/deltalite',
    'delta/merge-tuned',
    'delta/merge',
    'delta/merge-loop',
  ])
  expect(
    armsOf(wide)
      .filter(({ sound }) => sound)
      .map(({ arm }) => arm),
  ).toEqual(['ducklake/merge', 'delta/merge-tuned'])
  expect(armsOf(wide)).toHaveLength(6)
})

test('the figures of an arm are medians over its repetitions', () => {
  const arm = armsOf(firstScenario(madeUpResults())).find((other) => other.arm === 'delta/merge')
  expect(arm?.figures.get('apply.wallMs')?.interval.median).toBe(
    median(rounds.map((round) => madeUpApplyMs('delta/merge', round))),
  )
})

test('the headline says who wins, by how much, and how sure that is', () => {
  expect(firstScenario(madeUpResults()).verdict.headline).toBe(
    'ducklake/merge is 5.2× faster than delta/merge-loop (all 5 repetitions agree, 4.9–5.2×) and adds 9.1× less memory than delta/merge.',
  )
})

test('from six repetitions on, the headline states the real confidence of its interval', () => {
  expect(firstScenario(madeUpResults({ repeat: 7 })).verdict.headline).toContain('with 98.4 % confidence')
})

test('arms that win in turns have no winner', () => {
  const cells = rounds.flatMap((round) => [
    passedCell('merge-partitions', 'ducklake/merge', round, 2 * round, round % 2 === 0 ? 1 : 1.4),
    passedCell('merge-partitions', 'ducklake/delete-insert', round, 2 * round + 1, 1),
  ])
  const { headline } = firstScenario(withCells(cells)).verdict
  expect(headline).toMatch(/^There is no clear winner: .* repetitions agree/)
})

test('two arms of one format that win in turns still beat the other format, and the headline says so', () => {
  const cells = rounds.flatMap((round) => [
    passedCell('merge-partitions', 'ducklake/merge', round, 3 * round, round % 2 === 0 ? 1 : 1.4),
    passedCell('merge-partitions', 'ducklake/delete-insert', round, 3 * round + 1, 1),
    passedCell('merge-partitions', 'delta/merge-loop', round, 3 * round + 2, 1),
  ])
  const { headline, details } = firstScenario(withCells(cells)).verdict
  expect(headline).toMatch(
    /^The ducklake arms are ahead: .* faster than delta\/merge-loop, the best delta arm/,
  )
  expect(details.join(' ')).not.toContain('The best delta arm is')
})

test('one repetition settles nothing', () => {
  const results = madeUpResults({ repeat: 1 })
  expect(firstScenario(results).verdict.headline).toContain('in one repetition, which settles nothing')
  expect(warningsOf(results)).toContain('One repetition says nothing about how sure a figure is.')
})

test('the winner of a run without the baseline is held against the next arm', () => {
  const { headline } = firstScenario(madeUpResults({ arms: ['ducklake/merge', 'delta/deltalite'] })).verdict
  expect(headline).toMatch(/^ducklake\/merge is 1\.5× faster than delta\/deltalite/)
})

test('an arm that was killed is a row with its reason, and is not ranked', () => {
  const cells = rounds.flatMap((round) => [
    passedCell('merge-partitions', 'delta/merge-loop', round),
    oomKilledCell('merge-partitions', 'ducklake/merge', round),
  ])
  const scenario = firstScenario(withCells(cells))
  const { verdict } = scenario
  expect(verdict.headline).toBe('delta/merge-loop stands alone: no other arm passed all of its repetitions.')
  expect(verdict.details).toContain('ducklake/merge: oom-killed at the 2.00 GiB cap in apply.')
  expect(armsOf(scenario).map(({ arm }) => arm)).toEqual(['delta/merge-loop', 'ducklake/merge'])
})

test('one wrong table costs the fastest arm its rank', () => {
  const cells = rounds.flatMap((round) => [
    round === 4
      ? wrongCell('merge-partitions', 'ducklake/merge', round)
      : passedCell('merge-partitions', 'ducklake/merge', round),
    passedCell('merge-partitions', 'delta/deltalite', round),
    passedCell('merge-partitions', 'delta/merge-loop', round),
  ])
  const { verdict } = firstScenario(withCells(cells))
  expect(verdict.headline).toMatch(/^delta\/deltalite is/)
  expect(verdict.details).toContain('ducklake/merge: passed (4 of 5) and wrong data: row count (1 of 5).')
})

test('a scenario in which nothing passed has no winner', () => {
  const cells = [oomKilledCell('merge-partitions', 'delta/merge', 0)]
  expect(firstScenario(withCells(cells)).verdict.headline).toContain('no arm passed all')
})

test('too few repetitions say how many more it takes', () => {
  const warning = summarize(madeUpResults({ repeat: 3 })).warnings[0]
  expect(warning?.message).toContain('3 repetitions give no 95 % interval')
  expect(warning?.message).toContain('75 %')
  expect(warning?.remedy).toBe('Measure 3 more: --repeat 6 gives the first 95 % interval.')
})

test('six repetitions of quiet arms on a real network, capped, leave nothing to warn of', () => {
  const results = madeUpResults({ repeat: 6 })
  const storage = { kind: 's3', origin: 'configured', version: 'made up', loopback: false } as const
  expect(warningsOf({ ...results, run: { ...results.run, storage } })).toEqual([])
})

test('each doubt about the run has its warning', () => {
  const results = madeUpResults()
  const doubtful: Results = {
    ...results,
    run: { ...results.run, finishedAt: null, storage: { kind: 'local' } },
    environment: {
      ...results.environment,
      pod: { mechanism: 'none', reason: 'cgroups are read-only here' },
      git: { sha: 'abcdef0123456789', dirty: true },
    },
    warnings: [{ message: 'The runner saw something.', remedy: 'Look.' }],
  }
  const text = warningsOf(doubtful).join('\n')
  for (const part of [
    'did not finish',
    'not capped (cgroups are read-only here)',
    'local directory',
    'abcdef0123',
    'The runner saw something.',
  ]) {
    expect(text).toContain(part)
  }
})

test('noise, a slow start and a busy harness are noticed in the figures', () => {
  const cells = rounds.map((round) =>
    passedCell('merge-partitions', 'ducklake/merge', round, round, round === 0 ? 1.9 : 1),
  )
  const busy = cells.map((cell) => {
    const apply = cell.phases['apply']
    assert(apply !== undefined)
    return { ...cell, phases: { ...cell.phases, apply: { ...apply, orchestratorCpuSeconds: 1 } } }
  })
  const text = warningsOf(withCells(busy)).join('\n')
  expect(text).toContain('the repetitions of ducklake/merge (')
  expect(text).toContain('the first repetition of ducklake/merge was more than 1.3 times as slow')
  expect(text).toContain(
    "The harness's own work took more than 2 % of 5 of 25 timed sections, at worst 12.3 %",
  )
})

test('every warning ends with what to try', () => {
  for (const { remedy } of summarize(madeUpResults({ repeat: 2 })).warnings) expect(remedy).toMatch(/\.$/)
})
