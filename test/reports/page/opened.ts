import { readFileSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import type { History } from '../../../reports/history.ts'
import { renderHtml } from '../../../reports/html.ts'
import { parseResults, type Results } from '../../../reports/schema.ts'

export function publishedResults(name: string): Results {
  return parseResults(
    readFileSync(new URL(`../../../reports/published/${name}.json`, import.meta.url), 'utf8'),
  )
}

export interface OpenedPage extends AsyncDisposable {
  readonly page: Page
  readonly url: string
  /** Addresses that were asked for, the page's own first. */
  readonly requests: readonly string[]
  /** What the page threw or wrote as an error. */
  readonly errors: readonly string[]
}

/** The report of some results in a browser without network, with all of its parts unfolded unless told otherwise. */
export async function openPage(
  browser: Browser,
  results: Results,
  {
    unfolded = true,
    history = null,
    ...options
  }: BrowserContextOptions & { readonly unfolded?: boolean; readonly history?: History | null } = {},
): Promise<OpenedPage> {
  const folder = await mkdtemp(join(tmpdir(), 'lakeduel-page-'))
  const path = join(folder, 'report.html')
  await writeFile(path, renderHtml(results, { history }))
  const context = await browser.newContext({
    offline: true,
    viewport: { width: 1280, height: 900 },
    ...options,
  })
  const page = await context.newPage()
  const requests: string[] = []
  const errors: string[] = []
  page.on('request', (request) => requests.push(request.url()))
  page.on('pageerror', (error) => errors.push(String(error)))
  page.on('console', (message) => {
    if (message.type() === 'error') errors.push(message.text())
  })
  const url = pathToFileURL(path).href
  await page.goto(url)
  if (unfolded) await unfold(page)
  return {
    page,
    url,
    requests,
    errors,
    async [Symbol.asyncDispose]() {
      await context.close()
      await rm(folder, { recursive: true })
    },
  }
}

/** Opens every folded part, and waits until no chart is missing. */
async function unfold(page: Page): Promise<void> {
  await page.evaluate(`document.querySelectorAll('details').forEach((part) => { part.open = true })`)
  await page.evaluate(`(async () => {
    for (const canvas of document.querySelectorAll('canvas')) {
      canvas.scrollIntoView()
      while (!Chart.getChart(canvas)) await new Promise(requestAnimationFrame)
    }
  })()`)
}

export interface Plotted {
  readonly xTitle: string
  readonly xType: string
  readonly yTitle: string | undefined
  readonly yType: string
  readonly labels: readonly string[]
  readonly datasets: readonly {
    readonly label: string
    readonly data: readonly (number | null | { readonly x: number; readonly y: number | string })[]
    /** Where each value stands on the canvas, in pixels from its left and top. */
    readonly pixels: readonly { readonly x: number; readonly y: number }[]
  }[]
}

/** What Chart.js holds and has drawn for a canvas, not what it was given. */
export async function plotted(page: Page, id: string): Promise<Plotted> {
  return await page.evaluate<Plotted>(`(() => {
    const chart = Chart.getChart(document.getElementById(${JSON.stringify(id)}))
    const { x, y } = chart.scales
    return {
      xTitle: x.options.title.text, xType: x.type, yTitle: y.options.title.text, yType: y.type,
      labels: chart.data.labels ?? [],
      datasets: chart.data.datasets.map((dataset, index) => ({
        label: dataset.label,
        data: dataset.data,
        pixels: chart.getDatasetMeta(index).data.map(({ x, y }) => ({ x, y })),
      })),
    }
  })()`)
}
