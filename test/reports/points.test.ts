import { assert, expect, test } from 'vitest'
import { renderConsole } from '../../reports/console.ts'
import { renderMarkdown } from '../../reports/markdown.ts'
import { cellId, parseResults, type Results } from '../../reports/schema.ts'
import { type ScenarioSummary, summarize } from '../../reports/summary.ts'
import { comparisonTable } from '../../reports/tables/comparison.ts'
import { gridTable, scalingTable } from '../../reports/tables/grid.ts'
import { madeUpResults, madeUpScenario, measuredCell, passedCell } from './made-up-results.ts'
import { madeUpScaling } from './made-up-scaling.ts'

function firstScenario(results: Results): ScenarioSummary {
  const scenario = summarize(results).scenarios[0]
  assert(scenario !== undefined)
  return scenario
}

test('arms are compared within a point only, and the points follow the order of the axes', () => {
  const { points, metric } = firstScenario(madeUpScaling())
  expect(metric).toBe('commitsPerSecond')
  expect(points.map(({ label }) => label)).toEqual([
    'writers 1, target same table',
    'writers 1, target own table',
    'writers 4, target same table',
    'writers 4, target own table',
    'writers 16, target same table',
    'writers 16, target own table',
  ])
  expect(points.map(({ verdict }) => verdict.winner)).toEqual([
    'delta/merge',
    'delta/merge',
    'ducklake/merge',
    'ducklake/merge',
    'ducklake/merge',
    'ducklake/merge',
  ])
})

test('a scenario that searches for memory is ranked by it, and not by the time of its merges', () => {
  const bytes = { value: 2 ** 28, unit: 'bytes', better: 'lower', kind: 'memory' } as const
  const { phases } = passedCell('merge-partitions', 'ducklake/merge', 0)
  const where = { scenario: 'memory-cap', arm: 'ducklake/merge', repetition: 0 }
  const searched = { ...measuredCell(where, { leastCapBytes: bytes }), phases }
  const scenarios = [madeUpScenario({ name: 'memory-cap' })]
  expect(firstScenario({ ...madeUpResults(), scenarios, cells: [searched] }).metric).toBe('leastCapBytes')
  const unsearched = { ...measuredCell(where, {}), phases }
  expect(firstScenario({ ...madeUpResults(), scenarios, cells: [unsearched] }).metric).toBe('apply.wallMs')
})

test('where more is better, the arm with more leads, and the sentence says so', () => {
  const { points } = firstScenario(madeUpScaling())
  expect(points[4]?.verdict.headline).toBe(
    'ducklake/merge is 9.6× higher in commits per second than delta/merge (all 3 repetitions agree, 9.6–9.6×).',
  )
  expect(points[0]?.verdict.headline).toMatch(/^delta\/merge is 1\.7× higher in commits per second/)
})

test('a scenario with points is won by no one when the winner depends on the point', () => {
  const { verdict } = firstScenario(madeUpScaling())
  expect(verdict.winner).toBeNull()
  expect(verdict.headline).toBe(
    'The best arm depends on the point: ducklake/merge at 4 of 6 and delta/merge at 2 of 6.',
  )
})

test('a scenario is won by the arm that wins at every point', () => {
  const results = madeUpScaling()
  const cells = results.cells.filter(({ point }) => point['writers'] !== 1)
  expect(firstScenario({ ...results, cells }).verdict).toMatchObject({
    winner: 'ducklake/merge',
    headline: 'ducklake/merge wins at all 4 points.',
  })
})

test('a scaling table has a row for each value, a column for each arm, and the exponent of the growth', () => {
  const scaling = firstScenario(madeUpScaling()).scalings.find(
    ({ elsewhere }) => elsewhere === 'target own table',
  )
  assert(scaling !== undefined)
  expect(scalingTable(scaling)).toMatchObject({
    title: 'Commits per second over writers at target own table',
    rows: [
      ['1', '10.0 commits/s', '6.00 commits/s'],
      ['4', '10.0 commits/s', '24.0 commits/s'],
      ['16', '10.0 commits/s', '96.0 commits/s'],
      ['grows with', 'x^0.00', 'x^1.00'],
    ],
  })
})

test('the comparison shows what the scenario measures of its own, and no column of phases that it lacks', () => {
  const { columns, rows } = comparisonTable(firstScenario(madeUpScaling()))
  expect(columns.map(({ title }) => title)).toEqual([
    'at',
    'arm',
    'commits per second',
    'commit latency p50',
    'verdict',
  ])
  expect(rows[0]).toEqual([
    'writers 1, target same table',
    'delta/merge',
    '10.0 commits/s',
    '100 ms',
    'passed',
  ])
})

test('a terminal of 100 columns shows one line a point', () => {
  const text = renderConsole(madeUpScaling(), { width: 100, color: false })
  expect(Math.max(...text.split('\n').map((line) => line.length))).toBeLessThanOrEqual(100)
  const row = text.split('\n').find((line) => line.startsWith('│ writers 16, target own table'))
  expect(row?.split('│').map((field) => field.trim())).toEqual([
    '',
    'writers 16, target own table',
    '10.0 commits/s',
    '96.0 commits/s',
    '',
  ])
})

test('an arm that failed at one point says so there, and where it has no cell there is no figure', () => {
  const results = madeUpScaling({ repeat: 1 })
  const [first, second, ...rest] = results.cells
  assert(first?.status === 'ok' && second !== undefined)
  const wrong = {
    ...first,
    status: 'wrong-data' as const,
    findings: [{ check: 'rows', expected: '2', actual: '1' }],
  }
  const last = rest.at(-1)
  const grid = gridTable(
    firstScenario({ ...results, cells: [wrong, second, ...rest.filter((cell) => cell !== last)] }),
  )
  expect(grid?.rows[0]).toEqual(['writers 1, target same table', '10.0 commits/s', 'wrong-data'])
  expect(grid?.rows[5]?.[1]).toBe('–')
  expect(firstScenario({ ...results, cells: [wrong, second, ...rest] }).verdict.details).toContain(
    'ducklake/merge: wrong data: rows at writers 1, target same table.',
  )
})

test('the Markdown report has the overview, the scalings and the points of every table', () => {
  const text = renderMarkdown(parseResults(JSON.stringify(madeUpScaling())))
  expect(text).toContain('### Commits per second at every point: medians')
  expect(text).toContain('### Commits per second over writers at target same table')
  expect(text).toContain('| writers 16, target own table | ducklake/merge | 96.0 commits/s |')
})

test('second runs of the same cell tell the noise, and count for no arm', () => {
  const results = madeUpResults()
  const cells = [0, 1, 2, 3, 4].flatMap((repetition) => {
    const cell = passedCell('merge-partitions', 'ducklake/merge', repetition)
    const again = passedCell('merge-partitions', 'ducklake/merge', repetition, 0, repetition === 2 ? 1.1 : 1)
    const control = { ...again, control: true }
    return [cell, { ...control, id: cellId(control) }]
  })
  const scenario = firstScenario({ ...results, cells })
  expect(scenario.points[0]?.arms[0]?.cells).toHaveLength(5)
  expect(scenario.noise).toMatchObject({ pairs: 5, metric: 'apply.wallMs' })
  expect(scenario.noise?.largest).toBeCloseTo(1.1, 3)
  expect(scenario.verdict.details.at(-1)).toBe(
    'Noise: 5 second runs of the same cell took 1.00× of the first in the median and differed by 1.10× at most.',
  )
})
