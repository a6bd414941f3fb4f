import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest'
import { saying } from '../../../cli/bench/turns.ts'
import { compareCommand } from '../../../cli/commands/compare.ts'
import { COUNT, filesOf, TIME } from '../../reports/compare/made-up-pairs.ts'
import { failedCell } from '../../reports/made-up-results.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lakeduel-live-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))
afterEach(() => {
  process.exitCode = 0
})

async function compare(...args: readonly string[]) {
  const written = vi.spyOn(process.stdout, 'write').mockReturnValue(true)
  vi.spyOn(process.stderr, 'write').mockReturnValue(true)
  try {
    await compareCommand().parseAsync([process.execPath, 'compare', ...args])
    const { verdict, pairs, note, confirmation } = JSON.parse(
      written.mock.calls.map(([text]) => String(text)).join(''),
    )
    return { verdict, pairs, note, confirmed: confirmation?.verdict ?? null, exitCode: process.exitCode }
  } finally {
    vi.restoreAllMocks()
  }
}

const [template] = filesOf({
  requests: { metric: COUNT, baseline: [0], candidate: [0] },
  wallMs: { metric: TIME, baseline: [0], candidate: [0] },
})

/** A command that writes results as a bench of one repetition does, whose figures are `of` its own round, counted in a file. */
async function command(name: string, requests: string, wallMs: string): Promise<string> {
  const script = join(folder, `${name}.mjs`)
  await writeFile(
    script,
    `import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
    const [out, counter] = [process.argv[2], ${JSON.stringify(join(folder, `${name}.count`))}]
    let round = 0
    try { round = Number(readFileSync(counter, 'utf8')) } catch {}
    writeFileSync(counter, String(round + 1))
    const results = ${JSON.stringify(template)}
    const [cell] = results.cells
    cell.startedAt = new Date().toISOString()
    cell.metrics.requests.value = ${requests}
    cell.metrics.wallMs.value = ${wallMs}
    mkdirSync(out, { recursive: true })
    writeFileSync(out + '/results.json', JSON.stringify(results))`,
  )
  return `'${process.execPath}' '${script}' {out}`
}

const noise = (phase: number) => `1000 * (1 + 0.01 * Math.sin(round * 2 + ${phase}))`
const sides = async (name: string, requests: string, wallMs: string) => [
  '--baseline-cmd',
  await command(`${name}-a`, '67', noise(0)),
  '--candidate-cmd',
  await command(`${name}-b`, requests, wallMs),
  '--json',
]

test('two commands of the same thing pass at the first look', async () => {
  expect(await compare(...(await sides('same', '67', noise(1))))).toMatchObject({
    verdict: 'pass',
    pairs: 8,
    exitCode: 0,
  })
})

test('what fails on both sides ends it after the first pair, with what went wrong', async () => {
  const { arm, id, scenario, repetition } = template.cells[0] ?? failedCell('', '', 0, '')
  const failed = { ...failedCell(scenario, arm, repetition, 'it lacks a function'), id }
  const out = join(folder, 'failed.json')
  await writeFile(out, JSON.stringify({ ...template, cells: [failed] }))
  const side = `mkdir {out} && cp '${out}' {out}/results.json`
  for (const more of [[], ['--metric', 'apply.*']])
    await expect(compare('--baseline-cmd', side, '--candidate-cmd', side, ...more)).rejects.toMatchObject({
      code: 'USAGE',
      message: expect.stringMatching(/Nothing was measured on either side[^]*it lacks a function/),
    })
})

test('what fails in the candidate alone is worse, also where one metric was asked for', async () => {
  const { arm, id, scenario, repetition } = template.cells[0] ?? failedCell('', '', 0, '')
  const failed = { ...failedCell(scenario, arm, repetition, 'it lacks a function'), id }
  const [before, after] = [join(folder, 'before.json'), join(folder, 'after.json')]
  await writeFile(before, JSON.stringify(template))
  await writeFile(after, JSON.stringify({ ...template, cells: [failed] }))
  const { exitCode, verdict } = await compare(before, after, '--metric', 'wallMs', '--json')
  expect({ exitCode, verdict }).toEqual({ exitCode: 1, verdict: 'regression' })
})

test('a slower command is an alarm that fresh pairs confirm', async () => {
  expect(await compare(...(await sides('slow', '67', `1.2 * ${noise(1)}`)))).toEqual({
    verdict: 'regression',
    pairs: 14,
    note: 'the alarm was confirmed on fresh pairs',
    confirmed: 'regression',
    exitCode: 1,
  })
})

test('commands that take turns are started once, and measure one after the other in changing order', async () => {
  const log = join(folder, 'turns')
  const takingTurns = async (name: string) => {
    const script = join(folder, `turns-${name}.mjs`)
    await writeFile(
      script,
      `import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs'
      import { createInterface } from 'node:readline'
      const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]()
      const wait = async (saying) => { console.log(saying); return !(await lines.next()).done }
      const note = (what) => appendFileSync(${JSON.stringify(log)}, '${name} ' + what + '\\n')
      const out = process.argv[2]
      const results = ${JSON.stringify(template)}
      const [first] = results.cells
      results.cells = []
      mkdirSync(out, { recursive: true })
      note('starts')
      do {
        const startedAt = new Date().toISOString()
        await wait('${saying('turn')}')
        note('measures')
        await new Promise((resolve) => setTimeout(resolve, 20))
        note('is done')
        await wait('${saying('measured')}')
        const repetition = results.cells.length
        results.cells.push({ ...first, id: first.id.replace(/\\d+$/, repetition), repetition, startedAt })
        writeFileSync(out + '/results.json', JSON.stringify(results))
      } while (await wait('${saying('round')}'))
      note('ends')`,
    )
    return `'${process.execPath}' '${script}' {out}`
  }
  const commands = ['--baseline-cmd', await takingTurns('a'), '--candidate-cmd', await takingTurns('b')]
  expect(await compare(...commands, '--json')).toMatchObject({ verdict: 'pass', pairs: 8 })
  const turn = (name: string) => [`${name} measures`, `${name} is done`]
  const rounds = Array.from({ length: 8 }, (_, round) => (round % 2 === 0 ? ['a', 'b'] : ['b', 'a']))
  const lines = (await readFile(log, 'utf8')).trim().split('\n')
  expect(lines.slice(0, 2)).toEqual(['a starts', 'b starts'])
  expect(lines.slice(2, -2)).toEqual(rounds.flat().flatMap(turn))
  expect(lines.slice(-2).toSorted()).toEqual(['a ends', 'b ends'])
})

test('of two commands of which one takes no turns, each round is measured by one after the other', async () => {
  const [, baseline = '', , candidate = ''] = await sides('mixed', '67', noise(1))
  const waits = `node -e "console.log('${saying('turn').replaceAll('"', '\\"')}'); process.stdin.once('data', () => process.exit())"`
  const mixed = ['--baseline-cmd', `${waits} && ${baseline}`, '--candidate-cmd', candidate, '--json']
  expect(await compare(...mixed)).toMatchObject({ verdict: 'pass', exitCode: 0 })
})

test('after an alarm that fresh pairs do not raise again, the looks go on', async () => {
  const once = `round < 8 ? 1.2 * ${noise(1)} : ${noise(1)}`
  expect(await compare(...(await sides('once', '67', once)))).toEqual({
    verdict: 'pass',
    pairs: 60,
    note: 'settled',
    confirmed: null,
    exitCode: 0,
  })
})

test('a command without a place for its results, that fails, or beside a file is refused', async () => {
  const good = await command('good', '67', '1000')
  const refused = (...args: readonly string[]) => expect(compare(...args)).rejects
  await refused('--baseline-cmd', 'true', '--candidate-cmd', good).toMatchObject({
    remedy: expect.stringContaining('{out}'),
  })
  await refused('--baseline-cmd', 'exit 7 # {out}', '--candidate-cmd', good).toThrow('ended with 7')
  await refused('--baseline-cmd', 'true # {out}', '--candidate-cmd', good).toThrow('no readable results')
  await refused('some.json', '--candidate-cmd', good).toThrow('not some of each')
  await refused('a.json', 'b.json', '--pairs', '8').toThrow('nothing is measured')
})
