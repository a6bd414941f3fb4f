import { Script } from 'node:vm'
import { assert, expect, test } from 'vitest'
import type { ArmsChart, Bars, LinesChart, Points } from '../../reports/html/chart.ts'
import { chartCsv } from '../../reports/html/chart-csv.ts'
import { chartsOf } from '../../reports/html/charts.ts'
import { renderHtml } from '../../reports/html.ts'
import { parseResults, type Results } from '../../reports/schema.ts'
import { median } from '../../reports/statistics/quantile.ts'
import { summarize } from '../../reports/summary.ts'
import { madeUpApplyMs, madeUpResults, passedCell } from './made-up-results.ts'
import { madeUpScaling, madeUpScalingWithFailures } from './made-up-scaling.ts'

const rounds = [0, 1, 2, 3, 4]

function chart(id: string, results: Results = madeUpResults()): ArmsChart {
  const charts = summarize(results).scenarios.flatMap((scenario) => chartsOf(scenario).overview)
  const found = charts.find((other) => other.id === id)
  assert(found?.kind === 'arms', `no chart ${id}`)
  return found
}

function bars({ series }: ArmsChart, label: string): Bars {
  const found = series.find((other) => other.label === label)
  assert(found?.kind === 'bars', `no bars ${label}`)
  return found
}

function points({ series }: ArmsChart, label: string): Points {
  const found = series.find((other) => other.label === label)
  assert(found !== undefined && found.kind !== 'bars', `no points ${label}`)
  return found
}

const valueOf = (plot: ArmsChart, label: string, arm: string) =>
  bars(plot, label).values[plot.arms.indexOf(arm)]
const embedded = (html: string, id: string) =>
  html.match(new RegExp(`<script type="application/json" id="${id}">([^<]*)</script>`))?.[1] ?? ''

test('the time chart plots seconds: the median as a bar and every repetition as a point', () => {
  const plot = chart('merge-partitions-headline')
  const seconds = rounds.map((round) => madeUpApplyMs('delta/merge-loop', round) / 1000)
  expect(plot.axis).toContain('seconds')
  expect(valueOf(plot, 'median', 'delta/merge-loop')).toBe(median(seconds))
  const dots = points(plot, 'each repetition').points.filter(({ arm }) => arm === 'delta/merge-loop')
  expect(dots.map(({ value }) => value)).toEqual(seconds)
})

test('the memory chart stacks the floor and what was added, in MiB, below the line of the cap', () => {
  const plot = chart('merge-partitions-memory')
  expect(plot).toMatchObject({ stacked: true, limit: { value: 2048, label: 'cap 2.00 GiB' } })
  expect(plot.axis).toContain('MiB')
  expect(valueOf(plot, 'floor: Node, interpreter', 'delta/merge')).toBe(180)
  expect(valueOf(plot, 'added by the engine', 'delta/merge')).toBeCloseTo(1450 * 1.02, 4)
  const dots = points(plot, 'peak of each repetition').points.filter(({ arm }) => arm === 'delta/merge')
  expect(dots.map(({ value }) => value)[0]).toBe(180 + 1450)
})

test('a killed arm has no bar, but a cross at the peak it was killed at and a note', () => {
  const plot = chart('wide-json-memory')
  const row = plot.arms.indexOf('delta/merge')
  expect(valueOf(plot, 'added by the engine', 'delta/merge')).toBeNull()
  expect(points(plot, 'killed at').points.filter(({ arm }) => arm === 'delta/merge')).toEqual(
    rounds.map(() => ({ arm: 'delta/merge', value: 2048 })),
  )
  expect(plot.notes[row]).toBe('oom-killed at the 2.00 GiB cap in apply')
  expect(plot.failed[row]).toBe(true)
})

test('an arm that failed once keeps its bar and is marked as not ranked', () => {
  const plot = chart('wide-json-headline')
  const row = plot.arms.indexOf('ducklake/delete-insert')
  expect(plot.notes[row]).toMatch(/ s, not ranked$/)
  expect(points(plot, 'each repetition').points.filter(({ arm }) => arm === plot.arms[row])).toHaveLength(4)
})

test('the read chart plots milliseconds before, after, and after maintenance', () => {
  const plot = chart('merge-partitions-reads')
  expect(plot.axis).toContain('milliseconds')
  expect(valueOf(plot, 'before', 'ducklake/merge')).toBe(653)
  expect(valueOf(plot, 'after the merge', 'ducklake/merge')).toBe(992)
  expect(valueOf(plot, 'after maintenance', 'ducklake/merge')).toBe(659)
})

test('the stacked operations of an arm add up to its requests', () => {
  const plot = chart('merge-partitions-s3-requests')
  const row = plot.arms.indexOf('delta/merge-loop')
  const parts = plot.series.map((series) => (series.kind === 'bars' ? (series.values[row] ?? 0) : 0))
  expect(plot.series.map(({ label }) => label)).toEqual([
    'GetObject',
    'HeadObject',
    'PutObject',
    'ListObjectsV2',
  ])
  expect(parts.reduce((sum, part) => sum + part, 0)).toBe(5191)
  expect(plot.notes[row]).toBe('5,191')
})

test('without counted requests there is no chart of them', () => {
  const cell = passedCell('merge-partitions', 'ducklake/merge', 0)
  const apply = cell.phases['apply']
  assert(apply !== undefined)
  const s3 = { status: 'unavailable' as const, reason: 'local directory' }
  const uncounted = { ...cell, phases: { ...cell.phases, apply: { ...apply, s3 } } }
  const [scenario] = summarize({ ...madeUpResults(), cells: [uncounted] }).scenarios
  assert(scenario !== undefined)
  expect(chartsOf(scenario).overview.map(({ id }) => id)).not.toContain('merge-partitions-s3-requests')
})

test('each format has one hue, and no two arms of a scenario the same shade', () => {
  const plot = chart('merge-partitions-headline')
  const { colors } = bars(plot, 'median')
  plot.arms.forEach((arm, row) => expect(colors[row]).toMatch(`--${arm.split('/')[0]}-`))
  expect(new Set(colors).size).toBe(plot.arms.length)
})

test('a scenario with a numeric axis plots a line an arm, with its growth, in the unit that the axis says', () => {
  const [scenario] = summarize(madeUpScaling()).scenarios
  assert(scenario !== undefined)
  const { overview, points: byPoint } = chartsOf(scenario)
  const [lines] = overview
  assert(lines?.kind === 'lines')
  expect(lines).toMatchObject({
    xAxis: 'writers',
    yAxis: 'commits/s',
    title: 'Commits per second over writers, target same table',
  })
  expect(lines.lines.map(({ label }) => label)).toEqual(['delta/merge, x^0.00', 'ducklake/merge, x^1.00'])
  const curve: LinesChart['lines'][number]['points'] = [
    [1, 6],
    [4, 24],
    [16, 96],
  ]
  expect(lines.lines[1]?.points).toEqual(curve)
  expect(byPoint).toHaveLength(6)
  expect(byPoint[0]?.[0]).toMatchObject({ kind: 'arms', axis: 'commits/s (more is better)' })
})

test('a curve has a cross at each value where an arm failed, also where other repetitions passed', () => {
  const [scenario] = summarize(madeUpScalingWithFailures()).scenarios
  assert(scenario !== undefined)
  const lines = chartsOf(scenario).overview.find(({ title }) => title.endsWith('target same table'))
  assert(lines?.kind === 'lines')
  const killed = 'at writers 16: oom-killed at the 2.00 GiB cap in apply'
  const hung = 'at writers 16: hung in apply, stopped after 60.0 s (1 of 3) and passed (2 of 3)'
  const at = 'writers 16, target same table'
  expect(lines.flags).toMatchObject([
    { arm: 'delta/merge', kind: 'failed', points: [{ x: 16, y: null, note: killed, at }] },
    { arm: 'ducklake/merge', kind: 'failed', points: [{ x: 16, y: null, note: hung, at }] },
  ])
  expect(lines.description).toContain(killed)
  expect(chartCsv(lines)).toContain(`delta/merge,16,,failed ${killed}`)
  const html = renderHtml(madeUpScalingWithFailures())
  expect(html).toContain(`✕ delta/merge failed ${killed}`)
})

test('memory over time is a line an arm, in seconds and MiB, where a phase was long enough to record it', () => {
  const results = madeUpResults({ repeat: 1, arms: ['ducklake/merge', 'delta/merge'] })
  const recorded = {
    x: { name: 'time', unit: 'ms' as const },
    y: { name: 'private memory', unit: 'bytes' as const },
    points: [
      [500, 1024 ** 2],
      [1_500, 64 * 1024 ** 2],
    ] satisfies [number, number][],
  }
  const cells = results.cells.map((cell) =>
    cell.status === 'ok' && cell.arm === 'ducklake/merge' && cell.scenario === 'merge-partitions'
      ? { ...cell, series: { 'apply.memory': recorded } }
      : cell,
  )
  const [scenario] = summarize({ ...results, cells }).scenarios
  assert(scenario !== undefined)
  const overTime = chartsOf(scenario).overview.find(({ id }) => id === 'merge-partitions-memory-over-time')
  expect(overTime).toMatchObject({
    kind: 'lines',
    yAxis: 'MiB',
    lines: [
      {
        arm: 'ducklake/merge',
        points: [
          [0.5, 1],
          [1.5, 64],
        ],
      },
    ],
  })
  expect(overTime?.description).toContain('ducklake/merge 64.0 MiB at most in 1.5 s')
})

test('the trade-off has a mark at the median time and peak of each arm, and names those that have none', () => {
  const [, wide] = summarize(madeUpResults()).scenarios
  assert(wide !== undefined)
  const { tradeOff } = chartsOf(wide)
  expect(tradeOff).toMatchObject({
    xAxis: 'seconds (less is better)',
    yAxis: 'peak memory in MiB (less is better)',
    absent: [
      'delta/merge-loop: oom-killed at the 2.00 GiB cap in apply',
      'delta/merge: oom-killed at the 2.00 GiB cap in apply',
      'delta/deltalite: skipped',
    ],
  })
  const labels = tradeOff?.lines.map(({ label }) => label)
  expect(labels).toContain('✕ ducklake/delete-insert, not ranked')
  const seconds = rounds.map((round) => madeUpApplyMs('delta/merge-tuned', round, 1.4) / 1000)
  const [[x, mib] = []] = tradeOff?.lines.find(({ arm }) => arm === 'delta/merge-tuned')?.points ?? []
  expect(x).toBe(median(seconds))
  expect(mib).toBeCloseTo(181 + 690 * 1.02, 4)
  expect(tradeOff?.description).toContain('delta/merge has no mark (oom-killed')
})

test('the trade-off of a scenario with axes is that of the point where most arms were measured', () => {
  const results = madeUpResults({ repeat: 1, arms: ['ducklake/merge', 'delta/merge'] })
  const cells = results.cells
    .filter(({ scenario }) => scenario === 'merge-partitions')
    .flatMap((cell) => [1, 2].map((size) => ({ ...cell, id: `${cell.id} ${size}`, point: { size } })))
    .filter(({ arm, point }) => arm === 'delta/merge' || point.size === 2)
  const axes = [{ name: 'size', unit: null, description: 'of the table', values: [1, 2] }]
  const scenarios = results.scenarios.slice(0, 1).map((scenario) => ({ ...scenario, axes }))
  const [scenario] = summarize({ ...results, scenarios, cells }).scenarios
  assert(scenario !== undefined)
  expect(chartsOf(scenario).tradeOff?.title).toBe('Time to apply against peak memory, size 2')
})

test('the page embeds the charts that were computed, and the results as they are', () => {
  const results = madeUpResults()
  const html = renderHtml(results)
  expect(parseResults(embedded(html, 'results'))).toEqual(results)
  const plots = JSON.parse(embedded(html, 'charts'))
  expect(plots).toHaveLength(10)
  expect(plots).toContainEqual(chart('merge-partitions-headline', results))
})

test('every chart has a canvas with a text alternative that holds its figures', () => {
  const html = renderHtml(madeUpResults())
  const canvases = [...html.matchAll(/<canvas id="([^"]+)" role="img" aria-label="([^"]+)">/g)]
  expect(canvases).toHaveLength(10)
  for (const [, id, said] of canvases)
    if (id === 'merge-partitions-headline') expect(said).toContain('delta/merge-loop 43.0 s')
})

test('the page refers to nothing outside of itself', () => {
  const html = renderHtml(madeUpResults())
  expect(html).toContain(
    `content="default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'"`,
  )
  expect(html).not.toMatch(/<(?:link|img|iframe|object|embed|base)\b/i)
  expect(html).not.toMatch(/<[^>]+\s(?:src|srcset|action)=/i)
  // The data of the charts are links that hold their text themselves.
  expect(html).not.toMatch(/<[^>]+\shref=(?!"data:text\/csv;)/i)
  expect(html).not.toMatch(/@import|url\(\s*['"]?(?:https?:)?\/\//i)
  expect(html).not.toContain('sourceMappingURL')
})

test('the scripts of the page are whole and parse', () => {
  const html = renderHtml(madeUpResults())
  const scripts = [...html.matchAll(/<script>([\s\S]*?)<\/script>/g)].map((match) => match[1] ?? '')
  expect(scripts).toHaveLength(2)
  for (const script of scripts) expect(() => new Script(script)).not.toThrow()
  expect(scripts[0]).toContain('Chart.js v4')
})

test('text from engines and settings stays text', () => {
  const results = madeUpResults({ repeat: 1 })
  const hostile = '</script><script>alert(1)</script><!--'
  const html = renderHtml({
    ...results,
    run: { ...results.run, command: hostile },
    warnings: [{ message: hostile, remedy: hostile }],
  })
  expect(html).not.toContain('<script>alert')
  expect(html).not.toContain('<!--')
  expect(html).toContain('&lt;script&gt;alert(1)')
  expect(parseResults(embedded(html, 'results')).run.command).toBe(hostile)
})
