import { describe, expect, test } from 'vitest'
import type { Arm } from '../../../backends/backend.ts'
import { TestLake } from './lake.ts'
import { outcomeOf } from './outcome.ts'

const FORMATS: readonly Arm[] = ['ducklake/delete-insert', 'delta/deltalite']
describe.each(FORMATS)('lakeduel sync to %s', (arm) => {
  test('rows that changed replace those that are stored, and nothing is lost or doubled', async () => {
    await using lake = await TestLake.open()
    const flags = ['--table', 'orders', '--to', arm, '--json', '--batch-rows', '3000']
    const table = { name: 'orders', rows: 10_000 }
    const first = await lake.run([
      'sync',
      ...(await lake.source('synthetic', { seed: 1, tables: [table] })),
      ...flags,
    ])
    expect(outcomeOf(first)).toMatchObject({ status: 'done' })
    const before = await lake.contents(arm, 'orders')
    expect(before).toMatchObject({ rows: 10_000n, keys: 10_000n })
    const later = { seed: 1, tables: [{ ...table, rows: 11_000, revisions: 1 }] }
    const second = await lake.run(['sync', ...(await lake.source('synthetic', later)), ...flags])
    const outcome = outcomeOf(second)
    expect(outcome.status).toBe('done')
    expect(outcome.tables[0]?.counts['rowsCommitted']).toBeLessThan(5_000)
    expect(await lake.contents(arm, 'orders')).toMatchObject({ rows: 11_000n, keys: 11_000n })
    expect(await lake.objects('staging/')).toEqual([])
  })

  test('a full refresh replaces the table in one commit, and takes new types', async () => {
    await using lake = await TestLake.open()
    const flags = ['--table', 'orders', '--to', arm, '--json', '--mode', 'full-refresh']
    const old = { seed: 1, tables: [{ name: 'orders', rows: 4_000, columns: ['int32', 'string'] }] }
    await lake.run(['sync', ...(await lake.source('synthetic', old)), ...flags])
    const next = { seed: 2, tables: [{ name: 'orders', rows: 2_500, columns: ['string', 'decimal'] }] }
    const refreshed = await lake.run(['sync', ...(await lake.source('synthetic', next)), ...flags])
    expect(outcomeOf(refreshed).status).toBe('done')
    expect(await lake.contents(arm, 'orders')).toMatchObject({ rows: 2_500n, keys: 2_500n })
  })
})
