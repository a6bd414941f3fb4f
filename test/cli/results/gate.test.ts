import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, assert, beforeAll, beforeEach, expect, test, vi } from 'vitest'
import { gateCommand } from '../../../cli/commands/gate.ts'
import { LakeduelError } from '../../../platform/errors.ts'
import { ARM, fileOf, oneRequestMore } from '../../reports/compare/made-up-pairs.ts'
import { wrongCell } from '../../reports/made-up-results.ts'
import { expectBothReplacements } from '../replacements.ts'

let folder: string
let config: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lakeduel-gate-'))
  config = join(folder, 'lakeduel.gate.json')
  await mkdir(join(folder, 'benchmarks'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))
beforeEach(() => vi.stubEnv('GITHUB_STEP_SUMMARY', ''))
afterEach(() => {
  process.exitCode = 0
  vi.unstubAllEnvs()
})

async function gate(
  ...args: readonly string[]
): Promise<{ readonly stdout: string; readonly exitCode: unknown }> {
  const written = vi.spyOn(process.stdout, 'write').mockReturnValue(true)
  try {
    await gateCommand().parseAsync([process.execPath, 'gate', ...args, '--config', config])
    return { stdout: written.mock.calls.map(([text]) => String(text)).join(''), exitCode: process.exitCode }
  } finally {
    written.mockRestore()
  }
}

async function refusal(...args: readonly string[]): Promise<LakeduelError> {
  const error: unknown = await gate(...args).catch((thrown: unknown) => thrown)
  assert(error instanceof LakeduelError)
  return error
}

async function file(name: string, content: unknown): Promise<string> {
  const path = join(folder, name)
  await writeFile(path, JSON.stringify(content))
  return path
}

const [before, after] = oneRequestMore()

test('a baseline is recorded with its reason, and one request more than it fails the gate until the new one is recorded', async () => {
  await file('lakeduel.gate.json', { baseline: 'benchmarks/baseline.json' })
  const [first, second] = [await file('first.json', before), await file('second.json', after)]
  await gate('baseline', first, '--reason', 'the first one')
  expect((await gate(first)).exitCode).toBe(0)
  const { stdout, exitCode } = await gate(second)
  expect(exitCode).toBe(1)
  expect(stdout).toMatch(/^The gate is not passed: regression \(1 of 2 checks passed\)\.\n\nFailed\n· /)
  expect(stdout).toContain('requests: 67 before, 68 now, +1')
  await gate('baseline', second, '--reason', 'one more is needed')
  expect((await gate(second)).exitCode).toBe(0)
  const log = await readFile(join(folder, 'benchmarks', 'baseline.log.ndjson'), 'utf8')
  expectBothReplacements(log)
})

test('JUnit XML and Markdown are written where they are asked for, and a job’s summary is added to', async () => {
  await file('lakeduel.gate.json', { budgets: [{ metric: 'requests', atMost: 10 }] })
  const results = await file('results.json', before)
  const summary = join(folder, 'summary.md')
  await writeFile(summary, 'Earlier.\n')
  vi.stubEnv('GITHUB_STEP_SUMMARY', summary)
  const [junit, markdown] = [join(folder, 'gate.xml'), join(folder, 'gate.md')]
  expect((await gate(results, '--junit', junit, '--markdown', markdown)).exitCode).toBe(1)
  expect(await readFile(junit, 'utf8')).toContain(
    '<failure message="failed: merge-partitions, ducklake/merge: requests is 67',
  )
  const written = await readFile(markdown, 'utf8')
  expect(written).toMatch(/^## The gate is not passed: regression/)
  expect(await readFile(summary, 'utf8')).toBe(`Earlier.\n${written}`)
})

test('a configuration, a baseline or a place to write that is not there is named', async () => {
  const results = await file('fine.json', before)
  await file('lakeduel.gate.json', { budgets: [{ metric: 'requests', atMots: 10 }] })
  expect((await refusal(results)).message).toContain('budgets[0]')
  await file('lakeduel.gate.json', { baseline: 'gone.json' })
  expect((await refusal(results)).message).toContain(join(folder, 'gone.json'))
  await file('lakeduel.gate.json', {})
  expect((await refusal(results, '--junit', join(folder, 'no', 'gate.xml'))).remedy).toContain(
    'a folder that exists',
  )
  expect((await refusal('baseline', results, '--reason', 'because')).message).toContain('names no baseline')
})

test('results with wrong data, without an end or without a passed cell are no baseline', async () => {
  await file('lakeduel.gate.json', { baseline: 'benchmarks/other.json' })
  const wrong = await file('wrong.json', fileOf([wrongCell('merge-partitions', ARM, 0)]))
  const open = await file('open.json', { ...before, run: { ...before.run, finishedAt: null } })
  const empty = await file('empty.json', fileOf([]))
  expect((await refusal('baseline', wrong, '--reason', 'a')).message).toContain(
    '1 of its cells have wrong data',
  )
  expect((await refusal('baseline', open, '--reason', 'a')).message).toContain('not finished')
  expect((await refusal('baseline', empty, '--reason', 'a')).message).toContain('no cell passed')
})
