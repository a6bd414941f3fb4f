import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execa } from 'execa'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { madeUpResults } from '../../reports/made-up-results.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lakeduel-history-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

function history(...args: readonly string[]) {
  return execa(process.execPath, ['cli/main.ts', 'history', ...args], { reject: false })
}

test('runs are kept once, and shown; a broken file among them keeps none', async () => {
  const kept = join(folder, 'kept')
  const run = join(folder, 'run.json')
  const broken = join(folder, 'broken.json')
  await writeFile(run, JSON.stringify(madeUpResults({ repeat: 1 })))
  await writeFile(broken, '{"schemaVersion": 2')
  const failed = await history('add', run, broken, '--folder', kept)
  expect([failed.exitCode, failed.stderr]).toEqual([2, expect.stringContaining('broken.json')])
  const nothing = await history('show', '--folder', kept)
  expect([nothing.exitCode, nothing.stderr]).toEqual([2, expect.stringContaining('history add')])

  expect((await history('add', run, '--folder', kept)).stdout).toMatch(/^kept {2}/)
  expect((await history('add', run, '--folder', kept)).stdout).toMatch(/^kept before {2}/)
  expect(await readdir(kept)).toHaveLength(1)
  const shown = await history('show', '--folder', kept, '--json')
  expect(JSON.parse(shown.stdout)).toMatchObject({ runs: [madeUpResults().run.id], changes: [], leftOut: [] })
})
