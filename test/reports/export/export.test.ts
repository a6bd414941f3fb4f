import { assert, expect, test } from 'vitest'
import { bencherMetricFormat } from '../../../reports/export/bencher.ts'
import { cellTestCases } from '../../../reports/export/cell-test-cases.ts'
import { resultsCsv } from '../../../reports/export/csv.ts'
import { customBenchmark } from '../../../reports/export/custom-benchmark.ts'
import { chartCsv } from '../../../reports/html/chart-csv.ts'
import { chartsOf } from '../../../reports/html/charts.ts'
import { renderHtml } from '../../../reports/html.ts'
import { renderJunit } from '../../../reports/junit.ts'
import type { Results } from '../../../reports/schema.ts'
import { median } from '../../../reports/statistics/quantile.ts'
import { summarize } from '../../../reports/summary.ts'
import { fileOf } from '../compare/made-up-pairs.ts'
import { madeUpApplyMs, madeUpResults, passedCell } from '../made-up-results.ts'
import { madeUpScaling } from '../made-up-scaling.ts'

const results = madeUpResults()
const ARM = 'ducklake/merge'
const applyMs = [0, 1, 2, 3, 4].map((repetition) => madeUpApplyMs(ARM, repetition))
const hostile = '=HYPERLINK("evil"),\n</script>\u001b'
const cell = passedCell('merge-partitions', ARM, 0)
const withHostileName: Results = fileOf([
  { ...cell, metrics: { [hostile]: { value: 1, unit: 'count', kind: 'count', better: 'lower' } } },
])

test('the CSV has every value of every cell with its unit, and the failed cells with their status', () => {
  const lines = resultsCsv([results]).trimEnd().split('\r\n')
  const line = lines.filter((text) => text.includes(`merge-partitions,${ARM},,2,false,ok,apply.wallMs,`))
  expect(line).toEqual([expect.stringMatching(new RegExp(`,apply\\.wallMs,${applyMs[2]},ms,time,lower$`))])
  expect(lines.filter((text) => text.includes(',oom-killed,,,,,')).length).toBe(10)
  expect(lines.filter((text) => text.includes(',skipped,,,,,')).length).toBe(5)
})

test('a name can neither break out of its CSV field nor become a formula', () => {
  expect(resultsCsv([withHostileName])).toContain(`,"'=HYPERLINK(""evil""),\n</script>\\u{1b}",1,count,`)
})

test('github-action-benchmark gets medians, one direction a file', () => {
  const smaller: { name: string; value: number; unit: string; range: string }[] = JSON.parse(
    customBenchmark([results], 'lower'),
  )
  expect(smaller.find(({ name }) => name === `merge-partitions/${ARM} apply.wallMs`)).toEqual({
    name: `merge-partitions/${ARM} apply.wallMs`,
    unit: 'ms',
    value: median(applyMs),
    range: `${Math.min(...applyMs)} to ${Math.max(...applyMs)}`,
    extra: 'repetitions: 5',
  })
  expect(JSON.parse(customBenchmark([results], 'higher'))).toEqual([])
})

test('Bencher gets the median of each metric with its interval, by arm and point', () => {
  const { [`merge-partitions/${ARM}`]: own } = JSON.parse(bencherMetricFormat([results]))
  expect(own['apply.wallMs']).toEqual({
    value: median(applyMs),
    lower_value: Math.min(...applyMs),
    upper_value: Math.max(...applyMs),
  })
  expect(own.rowsApplied).toBeUndefined()
})

test('the same run twice gives each figure once', () => {
  expect(customBenchmark([results, results], 'lower')).toBe(customBenchmark([results], 'lower'))
})

test('JUnit XML has a case a cell: killed and wrong ones failed, skipped ones skipped, with the time of their phases', () => {
  const xml = renderJunit(cellTestCases([results]))
  expect(xml).toContain('<testsuites name="lakeduel" tests="60" failures="11" skipped="5">')
  expect(xml).toContain('wrong-data: row count: expected 1,010,000, found 1,009,998')
  expect(xml).toContain('oom-killed: killed by cgroup-v1 in apply')
  const first =
    cell.status === 'ok' ? Object.values(cell.phases).reduce((sum, { wallMs }) => sum + wallMs, 0) : 0
  expect(xml).toContain(
    `<testcase classname="${ARM}" name="repetition 1" time="${(first / 1000).toFixed(3)}"/>`,
  )
})

test('every chart of the page has its data as CSV, value for value', () => {
  const html = renderHtml(results)
  const drawn = summarize(results).scenarios.map(chartsOf)
  const charts = [
    ...drawn.flatMap(({ tradeOff }) => tradeOff ?? []),
    ...drawn.flatMap(({ overview }) => overview),
  ]
  const links = [...html.matchAll(/<a download="([^"]+)\.csv" href="data:text\/csv;charset=utf-8,([^"]+)">/g)]
  expect(links.map(([, id]) => id)).toEqual(charts.map(({ id }) => id))
  const data = links.map(([, , csv]) => decodeURIComponent(csv ?? ''))
  expect(data).toEqual(charts.map(chartCsv))
  const headline = charts.findIndex(({ id }) => id === 'merge-partitions-headline')
  expect(data[headline]).toContain(`${ARM},median,${median(applyMs) / 1000}\r\n`)
})

test('a chart of lines gives its points in the units of its axes', () => {
  const charts = summarize(madeUpScaling()).scenarios.flatMap((scenario) => chartsOf(scenario).overview)
  const lines = charts.find(({ kind }) => kind === 'lines')
  assert(lines?.kind === 'lines')
  const [line] = lines.lines
  const rows = chartCsv(lines).trimEnd().split('\r\n')
  expect(rows[0]).toBe(`arm,${lines.xAxis},${lines.yAxis}`)
  expect(rows[1]).toBe([line?.arm, ...(line?.points[0] ?? [])].join(','))
})

test('a name from a file can’t close a script of the page', () => {
  expect(renderHtml(withHostileName)).not.toContain(`evil"),\n</script>`)
})
