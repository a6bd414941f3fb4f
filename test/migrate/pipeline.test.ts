import { expect, test } from 'vitest'
import { uriOf } from '../../platform/endpoints.ts'
import { TestLake } from '../pipeline/end-to-end/lake.ts'
import { outcomeOf } from '../pipeline/end-to-end/outcome.ts'

test('a table that sync filled in Delta goes on in DuckLake after its migration, as it would have in Delta', async () => {
  await using lake = await TestLake.open()
  const { storage, catalog } = lake.environment()
  const table = { name: 'orders', rows: 3_000 }
  const first = await lake.source('synthetic', { seed: 1, tables: [table] })
  const later = await lake.source('synthetic', { seed: 1, tables: [{ ...table, rows: 4_000, revisions: 1 }] })
  const sync = (source: readonly string[], to: string) =>
    lake.run(['sync', ...source, '--table', 'orders', '--to', to, '--json'])
  expect(outcomeOf(await sync(first, 'delta/deltalite')).status).toBe('done')
  const target = ['--to', 'ducklake:postgres:', '--metadata-schema', catalog.schema, '--table', 'orders']
  const dataPath = ['--data-path', uriOf(storage, 'ducklake/')]
  const migrated = await lake.run(['migrate', 'run', uriOf(storage, 'orders'), ...target, ...dataPath])
  expect([migrated.exitCode, migrated.stdout]).toEqual([0, expect.stringContaining('Proved')])
  const before = await lake.contents('delta/deltalite', 'orders')
  expect(await lake.contents('ducklake/delete-insert', 'orders')).toEqual(before)
  const carry = ['runs', 'carry-over', 'orders', '--from', 'delta', '--to', 'ducklake']
  expect((await lake.run(carry)).exitCode).toBe(0)
  const again = await lake.run(carry)
  expect([again.exitCode, again.stderr]).toEqual([2, expect.stringContaining('has been synced already')])

  const [moved, stayed] = [
    outcomeOf(await sync(later, 'ducklake/delete-insert')),
    outcomeOf(await sync(later, 'delta/deltalite')),
  ]
  // As many rows: neither reads again what was read before.
  for (const { status, tables } of [moved, stayed])
    expect([status, tables[0]?.counts.rowsCommitted]).toEqual([
      'done',
      stayed.tables[0]?.counts.rowsCommitted,
    ])
  const after = await lake.contents('ducklake/delete-insert', 'orders')
  expect(after).toMatchObject({ rows: 4_000n, keys: 4_000n })
  expect(await lake.contents('delta/deltalite', 'orders')).toEqual(after)
}, 200_000)
