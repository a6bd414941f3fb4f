import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { TestLake } from './lake.ts'
import { outcomeOf } from './outcome.ts'

test('processes whose clocks jump by days in the middle lose no lease and no row', async () => {
  await using lake = await TestLake.open()
  const table = {
    name: 'events',
    rows: 6_000,
    pageRows: 200,
    pagesAreDear: true,
    delayMs: 250,
    columns: ['int64'],
  }
  const source = await lake.source('synthetic', { tables: [table] })
  const flags = ['--table', 'events', '--to', 'ducklake/merge', '--batch-rows', '1000', '--claim-ttl', '2s']
  const clock = fileURLToPath(new URL('jumping-clock.ts', import.meta.url))
  const run = await lake.run(['sync', ...source, ...flags, '--json'], { NODE_OPTIONS: `--import=${clock}` })
  expect(outcomeOf(run)).toMatchObject({
    status: 'done',
    deaths: 0,
    tables: [{ counts: { batchesCommitted: 6 } }],
  })
  expect(run.stderr).not.toMatch(/lost|handed-back|started again/)
  expect(await lake.contents('ducklake/merge', 'events')).toMatchObject({ rows: 6_000n, keys: 6_000n })
}, 120_000)
