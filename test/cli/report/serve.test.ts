import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
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
  const { body } = await fetch(new URL('events', url))
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
