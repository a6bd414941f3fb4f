import { lstat, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execa } from 'execa'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { reportCommand } from '../../../cli/commands/report.ts'
import { slower } from '../../reports/history/made-up-history.ts'
import { madeUpResults } from '../../reports/made-up-results.ts'

let folder: string
let results: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lakeduel-report-'))
  results = join(folder, 'results.json')
  await writeFile(results, JSON.stringify(madeUpResults()))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

async function report(...args: readonly string[]): Promise<string> {
  const written = vi.spyOn(process.stdout, 'write').mockReturnValue(true)
  try {
    await reportCommand().parseAsync([process.execPath, 'report', ...args])
    return written.mock.calls.map(([text]) => String(text)).join('')
  } finally {
    written.mockRestore()
  }
}

test('each format begins as its readers expect, and the terminal keeps to 100 columns', async () => {
  const beginnings = {
    terminal: 'merge-partitions\n',
    markdown: '# lakeduel: ',
    html: '<!doctype html>',
    csv: 'run,started_at,',
    json: '{\n  "schemaVersion": 2',
    junit: '<?xml ',
    'custom-smaller': '[\n  {\n    "name": ',
    'custom-bigger': '[]',
    bencher: '{\n  "merge-partitions/',
  }
  for (const [format, beginning] of Object.entries(beginnings)) {
    const text = await report(results, '--format', format)
    expect(text.slice(0, beginning.length)).toBe(beginning)
    if (format === 'terminal')
      expect(Math.max(...text.split('\n').map((line) => line.length))).toBeLessThanOrEqual(100)
  }
})

test('several files make one CSV, --out writes it, and an unknown format is refused', async () => {
  const out = join(folder, 'both.csv')
  expect(await report(results, results, '--format', 'csv', '--out', out)).toBe('')
  const lines = (await readFile(out, 'utf8')).split('\r\n')
  expect(lines.filter((line) => line.startsWith('run,'))).toHaveLength(1)
  await expect(report(results, '--format', 'csv', '--metric', 'apply.*')).rejects.toThrow('page')
  await expect(report(results, '--format', 'cvs')).rejects.toMatchObject({
    remedy: expect.stringContaining('Did you mean "csv"?'),
  })
})

test('the page of a history shows its newest run, and the chosen metrics over all of them', async () => {
  const kept = join(folder, 'kept')
  await mkdir(kept)
  for (const [index, run] of slower.entries())
    await writeFile(join(kept, `${index}.json`), JSON.stringify(run))
  const html = await report(kept, '--format', 'html', '--metric', 'merge*')
  expect(html).toContain('run of 2026-01-20')
  expect(html).toContain('20 runs from 2026-01-01 to 2026-01-20, 1 series, 1 change.')
  expect(html).toContain('▲ ducklake/merge worse from 1.00 s to 1.30 s')
  const other = join(folder, 'other-machine.json')
  const elsewhere = madeUpResults({ repeat: 1 })
  const environment = { ...elsewhere.environment, cpuModel: 'another processor' }
  await writeFile(other, JSON.stringify({ ...elsewhere, environment }))
  const mixed = await report(kept, other, '--format', 'html')
  expect(mixed).toContain('Left out made-up: processor: another')
})

test('a full disk leaves the old report and nothing half written, and what is no file is not replaced', async () => {
  const out = join(folder, 'kept.csv')
  await writeFile(out, 'old')
  await mkdir(`${out}.writing`)
  await expect(report(results, '--format', 'csv', '--out', out)).rejects.toThrow('cannot be written')
  expect(await readFile(out, 'utf8')).toBe('old')
  const full = join(folder, 'full')
  await symlink('/dev/full', full)
  await expect(report(results, '--format', 'csv', '--out', full)).rejects.toMatchObject({ code: 'DISK_FULL' })
  expect((await lstat(full)).isSymbolicLink()).toBe(true)
})

test('names in a broken file can not steer the terminal that shows what is wrong, nor full output pass', async () => {
  const broken = join(folder, 'steering.json')
  const name = '\u001B]0;owned\u0007'
  const { cells, ...rest } = madeUpResults({ repeat: 1 })
  const renamed = cells.map((cell) => ({ ...cell, scenario: name }))
  await writeFile(broken, JSON.stringify({ ...rest, cells: renamed }))
  const run = (...args: readonly string[]) =>
    execa(process.execPath, ['cli/main.ts', 'report', ...args], { reject: false })
  const { stderr, exitCode } = await run(broken)
  expect(exitCode).toBe(2)
  expect(stderr).toContain(String.raw`\u{1b}]0;owned\u{7}`)
  expect(stderr).not.toContain('\u001B')
  const full = await execa(
    'sh',
    ['-c', `'${process.execPath}' cli/main.ts report '${results}' > /dev/full`],
    {
      reject: false,
    },
  )
  expect([full.exitCode, full.stderr]).toEqual([5, expect.stringContaining('no space left')])
})
