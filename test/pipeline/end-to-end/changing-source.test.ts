import { describe, expect, test } from 'vitest'
import type { Arm } from '../../../backends/backend.ts'
import { TestLake } from './lake.ts'
import { outcomeOf } from './outcome.ts'
import { SourceDatabase } from './source-database.ts'

const FORMATS = ['ducklake/delete-insert', 'delta/merge'] as const satisfies readonly Arm[]
const QUICK = ['--claim-ttl', '2s', '--retry-backoff', '100ms', '--json']
const ORDERS = [
  'CREATE TABLE orders (id int PRIMARY KEY, amount int, updated_at timestamptz NOT NULL)',
  `INSERT INTO orders SELECT i, i, timestamptz '2026-01-01' + i * interval '1 min' FROM generate_series(1, 500) AS i`,
  'CREATE INDEX ON orders (updated_at)',
]

describe('a sync', () => {
  const arm = FORMATS[0]

  test('of a table that is dropped while its run is under way is refused by name, and what is stored stays', async () => {
    await using database = await SourceDatabase.open(...ORDERS)
    await using lake = await TestLake.open()
    const flags = [
      '--to',
      arm,
      '--mode',
      'append',
      '--incremental-field',
      'id',
      '--partition',
      'none',
      ...QUICK,
    ]
    const sync = ['sync', ...database.flags, '--table', 'orders', ...flags]
    expect((await lake.run(sync)).exitCode).toBe(0)
    await database.run(`INSERT INTO orders SELECT i, i, now() FROM generate_series(501, 900) AS i`)
    // It was recorded, and the process died before it knew.
    await lake.run([...sync, '--no-worker', '--batch-rows', '100'], {
      LAKEDUEL_FAULT: 'after-queueing-before-cursor:error',
    })
    await database.run('DROP TABLE orders', 'CREATE TABLE order_lines (id int PRIMARY KEY)')
    const refused = await lake.run(sync)
    expect([refused.exitCode, refused.stderr]).toEqual([
      2,
      expect.stringContaining('The source has no table "orders"'),
    ])
    expect(refused.stderr).toContain('Did you mean "order_lines"?')
    expect(await lake.contents(arm, 'orders')).toMatchObject({ rows: 500n, keys: 500n })
  }, 200_000)

  test('that is started twice at once is carried out by one of them, and the other waits or is refused', async () => {
    await using database = await SourceDatabase.open(...ORDERS)
    await using lake = await TestLake.open()
    const sync = [
      'sync',
      ...database.flags,
      '--table',
      'orders',
      '--to',
      arm,
      '--batch-rows',
      '100',
      ...QUICK,
    ]
    const runs = await Promise.all([lake.run(sync), lake.run(sync), lake.run([...sync, '--wait'])])
    const codes = runs.map(({ exitCode = 1 }) => exitCode)
    expect(Math.min(...codes)).toBe(0)
    expect(
      codes.every((code) => code === 0 || code === 6),
      runs.map(({ stderr }) => stderr).join(),
    ).toBe(true)
    expect(await lake.contents(arm, 'orders')).toMatchObject({ rows: 500n, keys: 500n })
  }, 200_000)
})

describe.each(FORMATS)('a sync to %s', (arm) => {
  test('of a column that changes its type widens it where nothing is lost, and else tells both types and the way out', async () => {
    await using database = await SourceDatabase.open(...ORDERS)
    await using lake = await TestLake.open()
    const sync = ['sync', ...database.flags, '--table', 'orders', '--to', arm, ...QUICK]
    expect((await lake.run([...sync, '--mode', 'incremental'])).exitCode).toBe(0)
    await database.run(
      'ALTER TABLE orders ALTER amount TYPE bigint',
      'UPDATE orders SET amount = 9000000000, updated_at = now() WHERE id = 7',
    )
    const widened = await lake.run([...sync, '--mode', 'incremental'])
    expect(widened.exitCode, widened.stdout).toBe(0)
    const before = await lake.contents(arm, 'orders')
    await database.run(
      `ALTER TABLE orders ALTER amount TYPE text USING 'about ' || amount`,
      'UPDATE orders SET updated_at = now() WHERE id > 400',
    )
    const refused = await lake.run([...sync, '--mode', 'incremental'])
    const { failure, runId = '' } = outcomeOf(refused).tables[0] ?? {}
    expect(failure).toMatchObject({ class: 'user', code: 'column_changed' })
    expect(failure?.message).toMatch(/amount.*int64.*string/)
    expect(await lake.contents(arm, 'orders')).toEqual(before)
    expect((await lake.run(['runs', 'cancel', runId])).exitCode).toBe(0)
    const refreshed = await lake.run([...sync, '--mode', 'full-refresh'])
    expect(refreshed.exitCode, refreshed.stdout).toBe(0)
    expect(await lake.contents(arm, 'orders')).toMatchObject({ rows: 500n, keys: 500n })
  }, 200_000)
})
