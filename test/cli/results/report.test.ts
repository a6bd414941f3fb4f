import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { reportCommand } from '../../../cli/commands/report.ts'
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

test('several files make one CSV, --out writes it, and a page of two runs or an unknown format is refused', async () => {
  const out = join(folder, 'both.csv')
  expect(await report(results, results, '--format', 'csv', '--out', out)).toBe('')
  const lines = (await readFile(out, 'utf8')).split('\r\n')
  expect(lines.filter((line) => line.startsWith('run,'))).toHaveLength(1)
  await expect(report(results, results, '--format', 'html')).rejects.toThrow('A page shows one run.')
  await expect(report(results, '--format', 'cvs')).rejects.toMatchObject({
    remedy: expect.stringContaining('Did you mean "csv"?'),
  })
})
