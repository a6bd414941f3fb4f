import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { parseResults } from '../../reports/schema.ts'
import { lakeduel } from './lakeduel.ts'

let folder = ''
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lakeduel-concurrency-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

test('finds that DuckLake alone doubles rows where writers add the same keys, and that coordinated writers do not', async () => {
  const out = join(folder, 'same-keys')
  const same = ['--axis', 'operation=upsert-same-new', '--axis', 'target=same-partition']
  const how = ['--axis', 'coordination=none,group', '--axis', 'writers=4', '--arm', 'ducklake/merge']
  await lakeduel(['bench', '--profile', 'smoke', '--scenario', 'concurrency', ...same, ...how, '--out', out])
  const { cells } = parseResults(await readFile(join(out, 'results.json'), 'utf8'))
  const [alone, together] = cells
  if (alone?.status !== 'wrong-data') throw new Error(`DuckLake alone was ${alone?.status}`)
  expect(alone.metrics['rowsDoubled']?.value).toBeGreaterThan(0)
  expect(alone.findings.map(({ issue }) => issue)).toContain('duckdb/ducklake#1393')
  if (together?.status !== 'ok') throw new Error(`coordinated writers were ${together?.status}`)
  expect(together.metrics['rowsDoubled']?.value).toBe(0)
  expect(together.metrics['attemptsPerCommit']?.value).toBe(1)
}, 300_000)
