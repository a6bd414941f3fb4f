import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execa } from 'execa'
import { afterAll, afterEach, assert, beforeAll, expect, test, vi } from 'vitest'
import { compareCommand } from '../../../cli/commands/compare.ts'
import { LakeduelError } from '../../../platform/errors.ts'
import type { Results } from '../../../reports/schema.ts'
import { COUNT, filesOf, TIME } from '../../reports/compare/made-up-pairs.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lakeduel-compare-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))
afterEach(() => {
  process.exitCode = 0
})

/** What the command prints and ends with, within this process. */
async function compare(
  ...args: readonly string[]
): Promise<{ readonly stdout: string; readonly exitCode: unknown }> {
  const written = vi.spyOn(process.stdout, 'write').mockReturnValue(true)
  try {
    await compareCommand().parseAsync([process.execPath, 'compare', ...args])
    return { stdout: written.mock.calls.map(([text]) => String(text)).join(''), exitCode: process.exitCode }
  } finally {
    written.mockRestore()
  }
}

async function refusal(...args: readonly string[]): Promise<LakeduelError> {
  const error: unknown = await compare(...args).catch((thrown: unknown) => thrown)
  assert(error instanceof LakeduelError)
  return error
}

async function file(name: string, results: Results | string): Promise<string> {
  const path = join(folder, name)
  await writeFile(path, typeof results === 'string' ? results : JSON.stringify(results))
  return path
}

const NOISE = [1.01, 0.98, 1.02, 0.99, 1, 1.03, 0.97, 1.01]
const samples = (factor: number, requests: number) => ({
  wallMs: {
    metric: TIME,
    baseline: NOISE.map((noise) => noise * 1000),
    candidate: NOISE.map((noise) => (2 - noise) * 1000 * factor),
  },
  requests: { metric: COUNT, baseline: NOISE.map(() => 67), candidate: NOISE.map(() => requests) },
})

async function files(name: string, factor: number, requests: number): Promise<readonly [string, string]> {
  const [baseline, candidate] = filesOf(samples(factor, requests))
  return [await file(`${name}-a.json`, baseline), await file(`${name}-b.json`, candidate)]
}

test('a slower candidate ends with 1 and says what, by how much, and what could have been seen, in 100 columns', async () => {
  const { stdout, exitCode } = await compare(...(await files('slow', 1.3, 68)))
  expect(exitCode).toBe(1)
  expect(stdout).toMatch(/^Regression: ducklake\/merge: wall 1\.30×; ducklake\/merge: requests \+1\.\n/)
  expect(stdout).toMatch(
    /│ wall +│ +1\.01 s │ +1\.29 s │ +1\.30× │ +1\.2\d–1\.3\d× │ +[\d.]+ % │ +8 │ worse +│ +– │/,
  )
  expect(stdout).toMatch(/│ requests +│ +67 │ +68 │ +\+1 │ +exact │/)
  expect(Math.max(...stdout.split('\n').map((line) => line.length))).toBeLessThanOrEqual(100)
})

test('the same again ends with 0', async () => {
  const { stdout, exitCode } = await compare(...(await files('same', 1, 67)))
  expect(exitCode).toBe(0)
  expect(stdout).toMatch(/^Passed: nothing got worse\.\n\nMerge-partitions, ducklake\/merge: 2 same\n/)
})

test('--metric judges that one only, and --tolerance lets it pass', async () => {
  const paths = await files('some', 1.3, 68)
  expect((await compare(...paths, '--metric', 'requests', '--tolerance', 'count=2%')).exitCode).toBe(0)
  expect((await compare(...paths, '--metric', 'wall*', '--json')).exitCode).toBe(1)
})

test('--json gives every judgement, --markdown a comment with all figures folded away', async () => {
  const paths = await files('forms', 1.3, 67)
  const { judgements, verdict } = JSON.parse((await compare(...paths, '--json')).stdout)
  expect(verdict).toBe('regression')
  expect(judgements).toMatchObject([
    { metric: 'wallMs', verdict: 'worse', pairs: 8 },
    { metric: 'requests', verdict: 'same', rule: 'exact' },
  ])
  const { stdout } = await compare(...paths, '--markdown')
  expect(stdout).toMatch(/^## Regression: /)
  expect(stdout).toContain('<details><summary>All figures</summary>')
})

test('other machines are refused with the difference, unless --mixed', async () => {
  const [baseline, candidate] = filesOf(samples(1, 67))
  const [here, there] = [
    await file('here.json', baseline),
    await file('there.json', { ...candidate, environment: { ...candidate.environment, cores: 64 } }),
  ]
  const refused = await refusal(here, there)
  expect(refused.message).toContain('cores: 2 in the baseline, 64 in the candidate')
  expect(refused.remedy).toContain('--mixed')
  expect((await compare(here, there, '--mixed')).exitCode).toBe(0)
})

test('NaN, a later version, no common cell and a bad option are refused with what is wrong', async () => {
  const [baseline] = filesOf(samples(1, 67))
  const good = await file('good.json', baseline)
  const nan = await file('nan.json', JSON.stringify(baseline).replace('"value":67', '"value":null'))
  const later = await file('later.json', JSON.stringify({ ...baseline, schemaVersion: 9 }))
  const empty = await file('empty.json', { ...baseline, cells: [] })
  expect((await refusal(good, nan)).message).toMatch(/cells\[0\]\.metrics\.requests\.value.*expected number/)
  expect((await refusal(good, later)).message).toContain('it is 9, and this lakeduel reads versions 1 to 2')
  expect((await refusal(good, empty)).message).toContain('no arm at any point')
  expect((await refusal(good, good, '--metric', 'nothing*')).message).toContain('nothing*')
  expect((await refusal(good, good, '--tolerance', 'time=200%')).remedy).toContain('time=10%')
  expect((await refusal(good, good, '--tolerance', 'tiem=5%')).remedy).toContain('Did you mean "time"?')
})

test('names with terminal codes are written out, not obeyed', async () => {
  const [baseline, candidate] = filesOf({ 'wall\u001b[2J\u202e': samples(1.5, 67).wallMs })
  const { stdout } = await compare(
    await file('codes-a.json', baseline),
    await file('codes-b.json', candidate),
  )
  expect(stdout).not.toContain('\u001b')
  expect(stdout).toContain(String.raw`\u{1b}[2 j\u{202e}`)
})

test('as a process, wrong usage ends with 4, since 2 is wrong data', async () => {
  const { exitCode, stderr } = await execa(process.execPath, ['cli/main.ts', 'compare', 'one.json'], {
    reject: false,
  })
  expect(exitCode).toBe(4)
  expect(stderr).toContain('Give two results, two commands or two versions')
})
