/** `npm run docs:screenshot`: the picture of the page that the README shows, made from published results. */
import { mkdir } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { openPage, publishedResults } from '../reports/page/opened.ts'
import { startChromium } from './chromium.ts'

const RESULTS = '2026-11-26-merge-partitions'
const SCENARIO = 'merge-partitions'
const IMAGE = new URL('../../docs/images/report.png', import.meta.url)
/** The verdict, the trade-off, and the first charts of the scenario. */
const VIEWPORT = { width: 1180, height: 1470 }

await mkdir(new URL('.', IMAGE), { recursive: true })
await using browser = await startChromium()
await using opened = await openPage(browser, publishedResults(RESULTS), {
  viewport: VIEWPORT,
  unfolded: false,
})
await opened.page.waitForFunction(`Chart.getChart('${SCENARIO}-memory')`)
await opened.page.screenshot({ path: fileURLToPath(IMAGE) })
process.stderr.write(`${fileURLToPath(IMAGE)}\n`)
