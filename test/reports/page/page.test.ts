import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Browser } from 'playwright-core'
import { afterAll, assert, beforeAll, beforeEach, expect, test } from 'vitest'
import { serveReport } from '../../../cli/report/serve.ts'
import { historyOf } from '../../../reports/history.ts'
import type { Results } from '../../../reports/schema.ts'
import { median } from '../../../reports/statistics/quantile.ts'
import { ResultsFile } from '../../../scenarios/runner/results-file.ts'
import { startChromium } from '../../browser/chromium.ts'
import { OPTIONS, slower } from '../history/made-up-history.ts'
import { failedCell, madeUpResults } from '../made-up-results.ts'
import { madeUpScalingWithFailures } from '../made-up-scaling.ts'
import { manyCells } from './many-cells.ts'
import { openPage, plotted, publishedResults } from './opened.ts'

/** Where the screenshots of the last run of these tests lie. */
const SCREENSHOTS = join('test-artifacts', 'screenshots')

let started: Browser | null = null
let reason = ''

beforeAll(async () => {
  await mkdir(SCREENSHOTS, { recursive: true })
  started = await startChromium().catch((cause: unknown) => {
    reason = `no Chromium starts on this machine: ${String(cause)}`
    return null
  })
})
beforeEach(({ skip }) => skip(started === null, reason))
afterAll(async () => await started?.close())

function browser(): Browser {
  assert(started !== null)
  return started
}

const merges = publishedResults('2026-11-26-merge-partitions')
const concurrency = publishedResults('2026-11-26-concurrency')

function passed({ cells }: Results, arm: string) {
  return cells.flatMap((cell) => (cell.status === 'ok' && !cell.control && cell.arm === arm ? [cell] : []))
}

test('bars stand at the median of the results file, in the seconds that their axis says, for every arm', async () => {
  await using opened = await openPage(browser(), merges)
  const chart = await plotted(opened.page, 'merge-partitions-headline')
  expect(chart).toMatchObject({ xType: 'linear', xTitle: 'seconds (less is better)' })
  expect(chart.labels.toSorted()).toEqual(merges.scenarios[0]?.arms.toSorted())
  const bars = chart.datasets.find(({ label }) => label === 'median')
  const dots = chart.datasets.find(({ label }) => label === 'each repetition')
  for (const [row, arm] of chart.labels.entries()) {
    const seconds = passed(merges, arm).map(({ phases }) => (phases['apply']?.wallMs ?? 0) / 1000)
    expect(bars?.data[row]).toBe(median(seconds))
    const ofArm = dots?.data.filter((dot) => typeof dot === 'object' && dot?.y === arm)
    expect(ofArm).toEqual(seconds.map((x) => ({ x, y: arm })))
  }
})

test('a bar twice as long stands for twice the value', async () => {
  await using opened = await openPage(browser(), merges)
  const { datasets } = await plotted(opened.page, 'merge-partitions-headline')
  const bars = datasets.find(({ label }) => label === 'median')
  const at = (row: number) => ({ value: Number(bars?.data[row]), pixel: bars?.pixels[row]?.x ?? Number.NaN })
  const [first, second, third] = [at(0), at(3), at(6)]
  const pixelsPerSecond = (third.pixel - first.pixel) / (third.value - first.value)
  expect(second.pixel).toBeCloseTo(first.pixel + (second.value - first.value) * pixelsPerSecond, 3)
})

test('peaks of memory are plotted in MiB of the figures in the file', async () => {
  await using opened = await openPage(browser(), merges)
  const chart = await plotted(opened.page, 'merge-partitions-memory')
  expect(chart.xTitle).toBe('MiB (less is better)')
  const added = chart.datasets.find(({ label }) => label === 'added by the engine')
  for (const [row, arm] of chart.labels.entries()) {
    const mib = passed(merges, arm).map(({ phases }) => (phases['apply']?.memory.addedBytes ?? 0) / 1024 ** 2)
    expect(added?.data[row]).toBe(median(mib))
  }
})

test('a curve over a wide range is drawn on logarithmic axes, its points where their logarithms are', async () => {
  await using opened = await openPage(browser(), concurrency)
  const chart = await plotted(opened.page, 'concurrency-scaling-0')
  expect(chart).toMatchObject({
    xType: 'logarithmic',
    yType: 'logarithmic',
    yTitle: 'commits/s',
    xTitle: 'writers',
  })
  const [curve] = chart.datasets
  assert(curve !== undefined)
  const arm = curve.label.split(',')[0] ?? ''
  const measured = passed(concurrency, arm).map(
    ({ point, metrics }) => `${point['writers']} ${metrics['commitsPerSecond']?.value}`,
  )
  for (const point of curve.data) {
    assert(typeof point === 'object' && point !== null)
    expect(measured).toContain(`${point.x} ${point.y}`)
  }
  const xs = curve.data.map((point) => (typeof point === 'object' ? Math.log(point?.x ?? 0) : 0))
  const perUnit = curve.pixels.slice(1).map(({ x }, index) => {
    return (x - (curve.pixels[index]?.x ?? 0)) / ((xs[index + 1] ?? 0) - (xs[index] ?? 0))
  })
  for (const scale of perUnit) expect(scale).toBeCloseTo(perUnit[0] ?? 0, 3)
})

test('the trade-off stands before the scenarios, a mark an arm at the medians of time and memory in the file', async () => {
  await using opened = await openPage(browser(), merges)
  const chart = await plotted(opened.page, 'merge-partitions-trade-off')
  expect(chart).toMatchObject({ xType: 'logarithmic', yType: 'linear', xTitle: 'seconds (less is better)' })
  expect(chart.datasets.map(({ label }) => label).toSorted()).toEqual(merges.scenarios[0]?.arms.toSorted())
  for (const { label, data } of chart.datasets) {
    const applied = passed(merges, label).flatMap(({ phases }) => phases['apply'] ?? [])
    const x = median(applied.map(({ wallMs }) => wallMs)) / 1000
    const y = median(applied.map(({ memory }) => memory.floorBytes + memory.addedBytes)) / 1024 ** 2
    expect(data).toEqual([{ x, y }])
  }
  const headings = await opened.page.locator('h2').allTextContents()
  expect(headings.indexOf('What speed costs in memory')).toBeLessThan(
    headings.lastIndexOf('merge-partitions'),
  )
})

test.for([
  ['light', 1280],
  ['dark', 1280],
  ['light', 400],
  ['dark', 400],
] as const)(
  'in %s and %i pixels wide, the page fits, asks for nothing and reports no error',
  async ([colorScheme, width]) => {
    await using opened = await openPage(browser(), merges, { colorScheme, viewport: { width, height: 900 } })
    const { page, url, requests, errors } = opened
    expect(requests).toEqual([url])
    expect(errors).toEqual([])
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(width)
    const background = await page.evaluate<string>('getComputedStyle(document.body).backgroundColor')
    expect(background).toBe(colorScheme === 'dark' ? 'rgb(17, 21, 27)' : 'rgb(246, 247, 249)')
    await page.evaluate('scrollTo(0, 0)')
    await page.screenshot({ path: join(SCREENSHOTS, `${colorScheme}-${width}.png`) })
  },
)

test('filters leave the chosen arms and points in tables and charts, and the address leads to the same view', async () => {
  await using opened = await openPage(browser(), concurrency)
  const { page } = opened
  await page.locator('#filters input[value="ducklake/merge"]').focus()
  await page.keyboard.press('Space')
  await page.locator('#filters select[name="axis.writers"]').selectOption('16')
  const rows = `[...document.querySelectorAll('tr[data-arm][data-at]')].filter((row) => row.checkVisibility())`
  const arms = `[...new Set(${rows}.map((row) => row.dataset.arm))].sort()`
  const elsewhere = `${rows}.filter((row) => !row.dataset.at.startsWith('writers 16,')).length`
  const expected = new Set(
    concurrency.cells
      .filter(({ point, arm }) => point['writers'] === 16 && arm !== 'ducklake/merge')
      .map(({ arm }) => arm),
  )
  expect(await page.evaluate(arms)).toEqual([...expected].toSorted())
  expect(await page.evaluate(elsewhere)).toBe(0)
  const marks = await plotted(page, 'concurrency-trade-off')
  expect(marks.datasets.map(({ label }) => label)).toEqual(['delta/deltalite'])
  expect(new URL(page.url()).hash).toContain('axis.writers=16')
  await page.reload()
  expect(await page.locator('#filters input[value="ducklake/merge"]').isChecked()).toBe(false)
  await page.evaluate(`document.querySelectorAll('details').forEach((part) => { part.open = true })`)
  expect(await page.evaluate(arms)).toEqual([...expected].toSorted())
  await page.locator('#filters button[type=reset]').click()
  await page.waitForFunction(`location.hash === ''`)
  expect(await page.evaluate(elsewhere)).toBeGreaterThan(0)
  expect(opened.errors).toEqual([])
})

test('an arm that failed along an axis has a cross there, above the plot in a lane of its own', async () => {
  await using opened = await openPage(browser(), madeUpScalingWithFailures())
  const { page } = opened
  const { datasets } = await plotted(page, 'concurrency-scaling-0')
  const of = (label: string) => datasets.find((dataset) => dataset.label.startsWith(label))
  const crosses = ['delta/merge failed', 'ducklake/merge failed'].map(of)
  expect(crosses.map((one) => one?.data)).toMatchObject([[{ x: 16 }], [{ x: 16 }]])
  const [delta, ducklake] = crosses.map((one) => one?.pixels[0])
  const last = of('ducklake/merge, x^')?.pixels.at(-1)
  assert(delta !== undefined && ducklake !== undefined && last !== undefined)
  expect(delta.x).toBeCloseTo(last.x, 3)
  expect(ducklake.y - delta.y).toBeGreaterThan(8)
  expect(ducklake.y).toBeLessThan(last.y - 4)
  expect(of('delta/merge, x^')?.data ?? of('delta/merge')?.data).toHaveLength(2)
  const figure = page.locator('figure', { has: page.locator('#concurrency-scaling-0') })
  await figure.scrollIntoViewIfNeeded()
  await figure.screenshot({ path: join(SCREENSHOTS, 'failures.png') })
  expect(opened.errors).toEqual([])
})

test('the axis filters leave the chosen values in the curves, and the curves of the chosen values', async () => {
  await using opened = await openPage(browser(), madeUpScalingWithFailures())
  const { page } = opened
  const shown = () =>
    page.evaluate<string[]>(
      `[...document.querySelectorAll('canvas[id*=-scaling-]')].filter((one) => one.checkVisibility()).map(({ id }) => id)`,
    )
  const xs = async (id: string) =>
    (await plotted(page, id)).datasets.map(({ data }) =>
      data.map((point) => (typeof point === 'object' ? point?.x : null)),
    )
  expect(await shown()).toEqual(['concurrency-scaling-0', 'concurrency-scaling-1'])
  await page.locator('#filters select[name="axis.target"]').selectOption('same table')
  expect(await shown()).toEqual(['concurrency-scaling-0'])
  await page.locator('#filters select[name="axis.writers"]').selectOption('4')
  expect(await xs('concurrency-scaling-0')).toEqual([[4], [4]])
  expect(await page.locator('.flags li').filter({ visible: true }).count()).toBe(0)
  const tables = () =>
    page.evaluate<
      readonly { readonly at: string; readonly rows: readonly string[]; readonly arms: readonly string[] }[]
    >(`
      [...document.querySelectorAll('details[data-at]')]
        .filter((part) => !part.hidden && part.firstElementChild.textContent.includes(' over writers'))
        .map((part) => ({
          at: part.dataset.at,
          rows: [...part.querySelectorAll('tr[data-at]')].filter((row) => !row.hidden).map((row) => row.dataset.at),
          arms: [...part.querySelectorAll('th[data-arm]')].filter((head) => !head.hidden).map((head) => head.dataset.arm),
        }))`)
  const table = { at: 'target same table', rows: ['writers 4, target same table'] }
  expect(await tables()).toEqual([{ ...table, arms: ['delta/merge', 'ducklake/merge'] }])
  await page.locator('#filters input[value="delta/merge"]').click()
  expect(await tables()).toEqual([{ ...table, arms: ['ducklake/merge'] }])
  await page.locator('#filters input[value="delta/merge"]').click()
  await page.locator('#filters select[name="axis.writers"]').selectOption('16')
  // Delta was killed there, so nothing but its cross is left of it.
  expect(await xs('concurrency-scaling-0')).toEqual([[], [16], [16], [16]])
  await page.locator('#filters button[type=reset]').click()
  await page.waitForFunction(`location.hash === ''`)
  expect(await shown()).toEqual(['concurrency-scaling-0', 'concurrency-scaling-1'])
  expect(opened.errors).toEqual([])
})

test('dated runs are plotted when they began, in the unit of the axis, and the first run of a new level is marked', async () => {
  const history = historyOf(slower, { ...OPTIONS, patterns: ['mergeMs'] })
  const newest = slower.at(-1)
  assert(newest !== undefined)
  await using opened = await openPage(browser(), newest, { history })
  const { page } = opened
  const chart = await plotted(page, 'history-0-0')
  expect(chart).toMatchObject({ xType: 'linear', yTitle: 'seconds (less is better)' })
  const [line, mark] = chart.datasets
  expect(line?.data).toEqual(
    slower.map(({ run, cells }) => {
      const [cell] = cells
      assert(cell?.status === 'ok')
      return { x: Date.parse(run.startedAt), y: (cell.metrics['mergeMs']?.value ?? 0) / 1000 }
    }),
  )
  expect(mark).toMatchObject({
    label: 'ducklake/merge worse',
    data: [{ x: Date.parse('2026-01-11'), y: 1.301 }],
  })
  expect(mark?.pixels[0]?.x).toBeCloseTo(line?.pixels[10]?.x ?? 0, 3)
  const labels = await page.evaluate<string[]>(
    `Chart.getChart('history-0-0').scales.x.ticks.map(({ label }) => label)`,
  )
  for (const label of labels) expect(label).toMatch(/^2026-01-\d\d$/)
  await page.locator('#history').screenshot({ path: join(SCREENSHOTS, 'history.png') })
  expect(opened.errors).toEqual([])
})

test('of ten thousand cells, only what is in view is drawn, and long tables are made when they are opened', async () => {
  await using opened = await openPage(browser(), manyCells(10_000), { unfolded: false })
  const { page } = opened
  const loadMs = await page.evaluate<number>('Math.round(performance.now())')
  expect(await page.evaluate('Object.keys(Chart.instances).length')).toBeLessThan(10)
  expect(await page.evaluate(`document.querySelectorAll('*').length`)).toBeLessThan(50_000)
  const filterMs = await page.evaluate<number>(`(() => {
    const start = performance.now()
    filters.querySelector('input[value="ducklake/merge"]').click()
    return Math.round(performance.now() - start)
  })()`)
  await page.locator('details.late summary', { hasText: 'Every repetition:' }).click()
  const rows = page.locator('details.late tr[data-arm]')
  await rows.first().waitFor({ state: 'attached' })
  expect(await rows.count()).toBe(10_000)
  expect(await page.locator('details.late tr[data-arm="ducklake/merge"]').first().isVisible()).toBe(false)
  expect(opened.errors).toEqual([])
  console.log(`10,000 cells: open after ${loadMs} ms, filtered in ${filterMs} ms`)
})

test('nothing that stands in results runs, wherever it stands', async () => {
  const hostile = `</script><script>window.ran = 1</script><img src=x onerror="window.ran = 2">"'><svg onload="window.ran = 3">`
  const results = madeUpResults({ repeat: 1 })
  const [scenario, ...others] = results.scenarios
  assert(scenario !== undefined)
  const everywhere: Results = {
    ...results,
    run: { ...results.run, command: hostile, id: hostile },
    environment: { ...results.environment, cpuModel: hostile },
    warnings: [{ message: hostile, remedy: hostile }],
    scenarios: [
      { ...scenario, name: hostile, question: hostile, parameters: { [hostile]: hostile } },
      ...others,
    ],
    cells: [
      ...results.cells.map((cell) =>
        cell.scenario === scenario.name ? { ...cell, scenario: hostile } : cell,
      ),
      failedCell(hostile, `delta/${hostile}`, 0, hostile),
    ],
  }
  await using opened = await openPage(browser(), everywhere)
  const { page, url, requests, errors } = opened
  expect(await page.evaluate('window.ran ?? null')).toBeNull()
  expect(await page.evaluate(`document.querySelectorAll('img, svg').length`)).toBe(0)
  expect(requests).toEqual([url])
  expect(errors).toEqual([])
})

test('the Tab key reaches every folded part, scrolling table and link, in the order in which they stand', async () => {
  await using opened = await openPage(browser(), merges, { unfolded: false })
  const { page } = opened
  const reachable = `summary, .scroll, pre, a[href], button, input, select`
  const expected = await page.evaluate<number>(
    `(window.reachable = [...document.querySelectorAll('${reachable}')].filter((one) => one.checkVisibility())).length`,
  )
  const order: number[] = []
  for (let step = 0; step < expected; step += 1) {
    await page.keyboard.press('Tab')
    order.push(await page.evaluate<number>('window.reachable.indexOf(document.activeElement)'))
  }
  expect(expected).toBeGreaterThan(10)
  expect(order).toEqual(Array.from({ length: expected }, (_, index) => index))
})

test('charts and tables say to a screen reader what they show', async () => {
  await using opened = await openPage(browser(), merges)
  const { page } = opened
  const count = (selector: string) => page.locator(selector).count()
  const charts = await count('canvas')
  expect(charts).toBeGreaterThan(4)
  expect(await count('canvas[role=img][aria-label]:not([aria-label=""])')).toBe(charts)
  expect(await count('table')).toBe(await count('[role=region][aria-label]:not([aria-label=""]) > table'))
  expect(await count('thead th')).toBe(await count('thead th[scope=col]'))
  expect(await count('html[lang=en] h1')).toBe(1)
})

test('a page that is served shows each cell as it comes, keeps what was unfolded, and tells when the server has ended', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'lakeduel-served-'))
  const file = new ResultsFile(folder)
  const { cells, run } = merges
  await file.begin({ ...merges, run: { ...run, finishedAt: null }, cells: cells.slice(0, 8) })
  const ended = new AbortController()
  const url = await new Promise<string>((resolve, reject) => {
    const options = { port: null, signal: ended.signal, onListening: resolve }
    serveReport(folder, options).catch(reject)
  })
  const page = await browser().newPage()
  const told = (hasText: string) => page.getByRole('status').filter({ hasText }).waitFor()
  await page.goto(url)
  await told('8 cells so far')
  await page.evaluate(`document.querySelectorAll('details')[2].open = true`)
  for (const cell of cells.slice(8, 10)) await file.append({ record: 'cell', cell })
  await told('10 cells so far')
  await page.locator('details[open]').first().waitFor({ state: 'attached' })
  ended.abort()
  await told('The server has ended')
  await page.close()
  await rm(folder, { recursive: true })
})
