import { mkdir, mkdtemp, rm, truncate, writeFile } from 'node:fs/promises'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { serveReport } from '../../../cli/report/serve.ts'
import { ResultsFile } from '../../../scenarios/runner/results-file.ts'
import { madeUpResults } from '../../reports/made-up-results.ts'

let folder: string
let ended: AbortController
let serving: Promise<void>

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lakeduel-serve-'))
  ended = new AbortController()
  serving = Promise.resolve()
})
afterEach(async () => {
  ended.abort()
  await serving
  await rm(folder, { recursive: true })
})

/** The address at which the folder is served. */
function served(): Promise<string> {
  return new Promise((resolve, reject) => {
    serving = serveReport(folder, { port: null, signal: ended.signal, onListening: resolve })
    serving.catch(reject)
  })
}

/** Versions of the results, as the server tells them to a page. */
async function* versions(url: string): AsyncGenerator<string> {
  const { body } = await fetch(new URL(`/events${new URL(url).pathname}`, url))
  if (body === null) return
  for await (const chunk of body) yield Buffer.from(chunk).toString()
}

test('a page tells how far its run is, and hears of each cell that is added', async () => {
  const results = madeUpResults()
  const file = new ResultsFile(folder)
  await file.begin({ ...results, run: { ...results.run, finishedAt: null }, cells: [] })
  const url = await served()
  expect(await (await fetch(url)).text()).toContain('The run goes on: 0 cells so far.')
  const told = versions(url)
  const before = (await told.next()).value
  const [cell] = results.cells
  if (cell === undefined) throw new Error('no cell was made up')
  await file.append({ record: 'cell', cell })
  expect((await told.next()).value).not.toBe(before)
  await file.append({ record: 'end', finishedAt: '2026-01-01T00:00:00.000Z' })
  expect(await (await fetch(url)).text()).toContain('The run has ended, with 1 cell.')
  await told.return(undefined)
})

test('a folder that has no results yet is waited for, and what can not be read is shown and not run', async () => {
  const url = await served()
  expect(await (await fetch(url)).text()).toContain('There is no readable results file')
  await writeFile(join(folder, 'results.ndjson'), '<script>alert(1)</script>\n')
  const page = await (await fetch(url)).text()
  expect(page).toContain('results.ndjson')
  expect(page).not.toContain('<script>alert')
})

/** The run of a name in the folder, begun with no cell. */
async function begun(name: string): Promise<ResultsFile> {
  const results = madeUpResults({ repeat: 1 })
  const file = new ResultsFile(join(folder, name))
  await file.begin({ ...results, run: { ...results.run, finishedAt: null }, cells: [] })
  return file
}

/** Waits until the page holds a text. */
async function pageWith(url: string, text: string): Promise<string> {
  return await vi.waitFor(
    async () => {
      const page = await (await fetch(url)).text()
      expect(page).toContain(text)
      return page
    },
    { timeout: 20_000, interval: 100 },
  )
}

test('a folder of several runs lists each with its status and leads to its page, which is live', async () => {
  const [cell] = madeUpResults().cells
  if (cell === undefined) throw new Error('no cell was made up')
  await begun('first & <b>')
  const second = await begun('second')
  await second.append({ record: 'end', finishedAt: '2026-01-01T00:00:00.000Z' })
  await mkdir(join(folder, 'no run'))
  const url = await served()
  const list = await pageWith(url, '2 runs, 1 of them running.')
  expect(list).toContain('✓ done')
  expect(list).not.toContain('no run')
  expect(list).not.toContain('<b>')
  const [, link = ''] = list.match(/href="(\/runs\/first[^"]*)"/) ?? []
  const page = new URL(link, url).href
  expect(await (await fetch(page)).text()).toContain('The run goes on: 0 cells so far.')
  expect(await (await fetch(page)).text()).toContain('<a href="/">All runs</a>')
  const told = versions(page)
  const before = (await told.next()).value
  await new ResultsFile(join(folder, 'first & <b>')).append({ record: 'cell', cell })
  expect((await told.next()).value).not.toBe(before)
  await told.return(undefined)
  await begun('third')
  await pageWith(url, '3 runs, 2 of them running.')
  for (const path of ['/runs/none', '/runs/%2e%2e%2fsecret', '/events/none'])
    expect((await fetch(new URL(path, url))).status).toBe(404)
})

test('a run with truncated files stays in the list, says what is wrong, and hides no other run', async () => {
  await begun('good')
  const results = madeUpResults({ repeat: 1 })
  const broken = join(folder, 'broken', 'results.json')
  await new ResultsFile(join(folder, 'broken')).save(results)
  await truncate(broken, 1_000)
  await mkdir(join(folder, 'empty'))
  await writeFile(join(folder, 'empty', 'results.ndjson'), '')
  const url = await served()
  const list = await pageWith(url, '3 runs, 1 of them running.')
  expect(list.match(/✕ cannot be read/g)).toHaveLength(2)
  expect(list).toContain('broken/results.json')
  const page = await (await fetch(new URL('runs/broken', url))).text()
  expect(page).toContain('broken/results.json')
  await new ResultsFile(join(folder, 'broken')).save(results)
  await pageWith(new URL('runs/broken', url).href, 'The run has ended')
})

test('nothing but the page is served, and only to who asks for this machine by its own name', async () => {
  await writeFile(join(folder, 'secret.txt'), 'secret')
  const url = await served()
  for (const path of ['secret.txt', '../secret.txt', '%2e%2e/secret.txt'])
    expect((await fetch(new URL(path, url))).status).toBe(404)
  const status = await new Promise((resolve, reject) => {
    const asked = request(url, { headers: { host: 'evil.example' } }, (response) =>
      resolve(response.statusCode),
    )
    asked.on('error', reject).end()
  })
  expect(status).toBe(403)
})

test('a path without anything, and a port that is taken, are refused before anything is served', async () => {
  const options = { port: null, signal: ended.signal, onListening: () => undefined }
  await expect(serveReport(join(folder, 'none'), options)).rejects.toMatchObject({ code: 'RESULTS_CORRUPT' })
  const url = await served()
  const port = Number(new URL(url).port)
  await expect(serveReport(folder, { ...options, port })).rejects.toMatchObject({ code: 'PORT_IN_USE' })
})
