import { expect, test } from 'vitest'
import type { Check } from '../../../reports/gate/check.ts'
import { gateConfigSchema } from '../../../reports/gate/config.ts'
import { testCaseOf } from '../../../reports/gate/test-cases.ts'
import { judgeGate } from '../../../reports/gate.ts'
import { renderJunit } from '../../../reports/junit.ts'
import type { Results } from '../../../reports/schema.ts'
import { ARM, COUNT, filesOf, MEMORY } from '../compare/made-up-pairs.ts'
import { failedCell, madeUpResults, oomKilledCell, passedCell, wrongCell } from '../made-up-results.ts'

const TODAY = '2026-11-26'
const MIB = 1024 ** 2
const two = madeUpResults({ arms: [ARM, 'delta/merge'], repeat: 7 })
const results: Results = {
  ...two,
  scenarios: two.scenarios.slice(0, 1),
  cells: two.cells.filter(({ scenario }) => scenario === 'merge-partitions'),
}

function gate(config: unknown, given: Results = results, baseline: Results | null = null) {
  return judgeGate(gateConfigSchema.parse(config), given, baseline, TODAY)
}

const checksOf = (config: unknown, kind: Check['kind'], given = results) =>
  gate(config, given).checks.filter((check) => check.kind === kind)

test('an absolute budget is kept, broken, or open where the repetitions lie on both sides of it', () => {
  const limit = (atMost: string) =>
    gate({ budgets: [{ arm: ARM, metric: 'apply.memory.addedBytes', atMost }] })
  expect(limit('200 MiB').verdict).toBe('pass')
  expect(limit('100 MiB').verdict).toBe('regression')
  expect(limit('164 MiB').verdict).toBe('inconclusive')
  expect(limit('100 MiB').checks.at(-1)?.text).toBe(
    'apply memory added is 165 MiB (160 MiB to 170 MiB in 7 repetitions), asked is at most 100 MiB',
  )
})

test('a limit in another unit than the metric is told, not guessed', () => {
  const [check] = checksOf({ budgets: [{ arm: ARM, metric: 'apply.wallMs', atMost: '512 MiB' }] }, 'limit')
  expect(check).toMatchObject({
    status: 'inconclusive',
    text: 'the limit 512 MiB has another unit than apply.wallMs, ms',
  })
})

test('a budget across arms is held within the repetitions of the run', () => {
  const times = (atMostTimes: number) =>
    gate({ budgets: [{ arm: ARM, metric: 'apply.wallMs', atMostTimes, of: 'delta/merge' }] })
  expect(times(0.5).verdict).toBe('pass')
  expect(times(0.3).verdict).toBe('regression')
  expect(times(0.5).checks.at(-1)?.text).toMatch(
    /^apply wall is 0\.3\d× \(0\.3\d–0\.\d\d×\), asked is at most 0\.50× of delta\/merge$/,
  )
})

test('a budget that names nothing is inconclusive, so that a renamed metric is noticed', () => {
  expect(gate({ budgets: [{ metric: 'apply.renamed', atMost: 1 }] }).verdict).toBe('inconclusive')
  expect(gate({ budgets: [{ metric: 'apply.wallMs', worseBy: '5%' }] }).verdict).toBe('inconclusive')
})

test('wrong data fails without any baseline or budget, and no acknowledgement lets it pass', () => {
  const wrong = { ...results, cells: [wrongCell('merge-partitions', ARM, 0), ...results.cells.slice(1)] }
  const acknowledged = [{ metric: '*', reason: 'known', until: '2027-01-01' }]
  expect(gate({ acknowledged }, wrong).verdict).toBe('wrong-data')
})

test('a cell that failed fails; an arm that is killed for memory fails only the budgets on its figures', () => {
  const failed = {
    ...results,
    cells: [failedCell('merge-partitions', ARM, 0, 'gone'), ...results.cells.slice(1)],
  }
  expect(gate({}, failed).verdict).toBe('regression')
  const killed = {
    ...results,
    cells: Array.from({ length: 7 }, (_, repetition) => oomKilledCell('merge-partitions', ARM, repetition)),
  }
  expect(gate({}, killed).verdict).toBe('pass')
  expect(gate({ budgets: [{ metric: 'apply.wallMs', atMost: '60 s' }] }, killed).verdict).toBe('regression')
})

const five = (value: number) => Array.from({ length: 7 }, () => value)
const grown = (factor: number) =>
  filesOf({
    requests: { metric: COUNT, baseline: five(67), candidate: five(67) },
    peakBytes: { metric: MEMORY, baseline: five(100 * MIB), candidate: five(100 * MIB * factor) },
  })

test('a relative budget replaces the tolerance of its kind', () => {
  const [baseline, candidate] = grown(1.2)
  expect(gate({}, candidate, baseline).verdict).toBe('regression')
  const budgets = [{ metric: 'peakBytes', worseBy: '25%' }]
  expect(gate({ budgets }, candidate, baseline).verdict).toBe('pass')
})

test('an acknowledgement holds until its day, for what it names, as far as it says', () => {
  const [baseline, candidate] = grown(1.2)
  const verdict = (acknowledgement: object) =>
    gate(
      { acknowledged: [{ metric: 'peakBytes', reason: 'the new engine', until: TODAY, ...acknowledgement }] },
      candidate,
      baseline,
    )
  expect(verdict({}).verdict).toBe('pass')
  expect(verdict({}).checks.find(({ status }) => status === 'acknowledged')?.acknowledgement?.reason).toBe(
    'the new engine',
  )
  expect(verdict({ until: '2026-11-25' })).toMatchObject({ verdict: 'regression' })
  expect(verdict({ until: '2026-11-25' }).notes.join()).toContain('ended on 2026-11-25: the new engine')
  expect(verdict({ metric: 'requests' }).verdict).toBe('regression')
  expect(verdict({ metric: 'requests' }).notes.join()).toContain(
    'Nothing needs the acknowledgement of requests',
  )
  expect(verdict({ worseBy: '10%' }).verdict).toBe('regression')
  expect(verdict({ worseBy: '30%' }).verdict).toBe('pass')
})

test('what stays open fails with 3, or is told where the configuration says so', () => {
  const config = { budgets: [{ arm: ARM, metric: 'apply.memory.addedBytes', atMost: '164 MiB' }] }
  expect(gate(config).verdict).toBe('inconclusive')
  expect(gate({ ...config, inconclusive: 'tell' }).verdict).toBe('pass')
})

test('a configuration that is misspelt, or whose share or day is none, is refused', () => {
  const bad = [
    { budget: [] },
    { budgets: [{ metric: 'a', worseBy: '150%' }] },
    { budgets: [{ metric: 'a', atMost: 'much' }] },
    { acknowledged: [{ metric: 'a', reason: ' ', until: '2027-01-01' }] },
    { acknowledged: [{ metric: 'a', reason: 'b', until: 'soon' }] },
  ]
  for (const config of bad) expect(gateConfigSchema.safeParse(config).success).toBe(false)
})

test('the checks are JUnit XML that no name can break out of', () => {
  const hostile = 'a"><script>\u0000\u001b]0;x\u0007&\ud800'
  const cell = { ...passedCell('merge-partitions', ARM, 0), metrics: { [hostile]: { value: 1, ...COUNT } } }
  const given = { ...results, cells: [cell] }
  const { checks } = gate({ budgets: [{ arm: ARM, metric: 'a"*', atMost: 0 }] }, given)
  const xml = renderJunit(checks.map(testCaseOf))
  expect(xml).toContain('<testsuites name="lakeduel" tests="2" failures="1" skipped="0">')
  expect(xml).toContain(String.raw`a&quot;&gt;&lt;script&gt;\u{0}\u{1b}]0;x\u{7}&amp;`)
  expect(xml.replaceAll('\n', '')).not.toMatch(/\p{Cc}|\p{Cs}|<script/u)
})
