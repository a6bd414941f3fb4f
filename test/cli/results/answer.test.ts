import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execa } from 'execa'
import { afterAll, assert, beforeAll, expect, test, vi } from 'vitest'
import { answerCommand } from '../../../cli/commands/answer.ts'
import { LakeduelError } from '../../../platform/errors.ts'
import { logLine, type Results } from '../../../reports/schema.ts'
import { memoryCap, resultsOf } from '../../reports/answer/made-up-answers.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lakeduel-answer-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

/** What the command prints, within this process: to start one for each case would take most of a minute. */
async function answer(...args: readonly string[]): Promise<string> {
  const written = vi.spyOn(process.stdout, 'write').mockReturnValue(true)
  try {
    await answerCommand().parseAsync([process.execPath, 'answer', ...args])
    return written.mock.calls.map(([text]) => String(text)).join('')
  } finally {
    written.mockRestore()
  }
}

async function refusal(...args: readonly string[]): Promise<LakeduelError> {
  const error: unknown = await answer(...args).catch((thrown: unknown) => thrown)
  assert(error instanceof LakeduelError)
  return error
}

async function file(name: string, text: string): Promise<string> {
  const path = join(folder, name)
  await writeFile(path, text)
  return path
}

const measured = (capMib: number): Results =>
  resultsOf([memoryCap({ 'ducklake/merge': [200, capMib], 'delta/deltalite': [300, 400] })])

test('lakeduel answer writes the answers of a results file as Markdown', async () => {
  const path = await file('a.json', JSON.stringify(measured(205)))
  const { stdout } = await execa(process.execPath, ['cli/main.ts', 'answer', path])
  expect(stdout).toMatch(/^# The three answers\n/)
  expect(stdout).toContain(
    '**Well, its need stays the same as the table grows: ducklake/merge merges into 400 MiB',
  )
  expect(stdout).toContain('| memory is scarce, table size 1 to 4 | ducklake/merge |')
  expect(stdout).toContain('Repeat it:\n\n    lakeduel bench')
})

test('other figures give another sentence, in the file that --out names', async () => {
  const out = join(folder, 'answers.md')
  const stdout = await answer(await file('b.json', JSON.stringify(measured(700))), '--out', out)
  expect(stdout).toContain('Badly, its need grows with the table')
  expect(stdout).not.toContain('#')
  expect(await readFile(out, 'utf8')).toContain('**Badly, its need grows with the table')
})

test('--json gives each sentence with the figures that it rests on', async () => {
  const stdout = await answer(await file('c.json', JSON.stringify(measured(205))), '--json')
  const { answers } = JSON.parse(stdout)
  expect(answers[0].sentence.sources[0]).toMatchObject({
    scenario: 'memory-cap',
    arm: 'ducklake/merge',
    metric: 'leastCapBytes',
    n: 1,
  })
})

test('the log of a run that goes on still is answered from, too', async () => {
  const results = measured(205)
  const run = { ...results.run, finishedAt: null }
  const log = logLine({ record: 'start', results: { ...results, run } })
  const stdout = await answer(await file('run.ndjson', `${log}{"record":"ce`))
  expect(stdout).toContain('Well, its need stays the same')
  expect(stdout).toContain('The run did not finish, so cells are missing.')
})

test('runs of two machines are refused, unless asked for', async () => {
  const here = await file('here.json', JSON.stringify(measured(205)))
  const there = measured(210)
  const environment = { ...there.environment, cores: 64 }
  const other = await file('there.json', JSON.stringify({ ...there, environment }))
  const refused = await refusal(here, other)
  expect(refused.exitCode).toBe(2)
  expect(refused.message).toBe(
    'The runs differ: processor: A made-up processor, 2 cores and A made-up processor, 64 cores.',
  )
  expect(refused.remedy).toContain('--mixed')
  expect(await answer(here, other, '--mixed')).toContain('# The three answers')
})

test('a file that is missing, cut off or no results file is named with what is wrong', async () => {
  const cut = await file('cut.json', JSON.stringify(measured(205)).slice(0, 500))
  const cases = [
    [join(folder, 'nowhere.json'), 'There are no readable results at'],
    [cut, 'it is no JSON'],
    [folder, 'There is no readable results file at'],
  ] as const
  for (const [path, message] of cases) {
    const error = await refusal(path)
    expect(error.code).toBe('RESULTS_CORRUPT')
    expect(error.message).toContain(message)
    expect(error.message).toContain(path)
  }
})

test('a place that cannot be written to is named', async () => {
  const path = await file('d.json', JSON.stringify(measured(205)))
  const error = await refusal(path, '--out', join(folder, 'no-such-folder', 'answers.md'))
  expect(error.message).toContain('no-such-folder')
  expect(error.remedy).toContain('a folder that exists')
})
