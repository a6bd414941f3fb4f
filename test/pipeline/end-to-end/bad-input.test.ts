import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import type { Arm } from '../../../backends/backend.ts'
import { DEFAULT_API_KEY } from '../../../scenarios/stripe-server/options.ts'
import { startStripeServer } from '../../../scenarios/stripe-server/server.ts'
import { TestLake } from './lake.ts'
import { SourceDatabase } from './source-database.ts'

const QUICK = ['--claim-ttl', '2s', '--retry-backoff', '100ms', '--json']
const ARM: Arm = 'ducklake/delete-insert'

describe('what is asked is checked before anything is begun', () => {
  test('a wrong Stripe key ends the sync and names the setting, not the key', async () => {
    await using server = await startStripeServer({ counts: { invoices: 10 } })
    await using lake = await TestLake.open()
    const flags = [
      'sync',
      '--source',
      'stripe',
      '--set',
      `baseUrl=${server.url}`,
      '--table',
      'invoices',
      '--to',
      ARM,
    ]
    const wrong = 'sk_test_wrong000000000000'
    const run = await lake.run(flags, { LAKEDUEL_SOURCE_STRIPE_API_KEY: wrong })
    expect(run.exitCode).not.toBe(0)
    expect(run.stderr).toMatch(/key/i)
    expect(run.stderr).not.toContain(wrong)
  })

  test('a table without a key can’t be upserted, and the ways out are told', async () => {
    await using database = await SourceDatabase.open('CREATE TABLE logs (line text, created_at timestamptz)')
    await using lake = await TestLake.open()
    const flags = ['--table', 'logs', '--to', ARM, '--mode', 'incremental']
    const run = await lake.run(['sync', ...database.flags, ...flags])
    expect(run.exitCode).toBe(2)
    expect(run.stderr).toContain('--primary-key')
  })

  test.each([
    [['--table', 'nosuch'], 'nosuch'],
    [['--table', 'events', '--mode', 'sideways'], 'mode'],
    [['--table', 'events', '--partition', 'md5:id'], 'md5:COLUMNS:COUNT'],
    [['--table', 'events', '--partition', 'md5:idd:4'], 'Did you mean "id"?'],
    [['--table', 'events', '--partition', 'datetime:json_11:week'], 'md5:json_11:COUNT'],
    [['--table', 'events', '--column', 'id=uuid'], 'uuid'],
  ])('%j is refused with the reason', async (flags, told) => {
    await using lake = await TestLake.open()
    const source = await lake.source('synthetic', { tables: [{ name: 'events', rows: 1 }] })
    const run = await lake.run(['sync', ...source, '--to', ARM, ...flags])
    expect(run.exitCode).toBe(2)
    expect(run.stderr).toContain(told)
  })
})

describe('what goes wrong in the middle is told, and loses nothing', () => {
  test('a key that is revoked in the middle fails the run, and a new one goes on where it stopped', async () => {
    await using server = await startStripeServer({
      counts: { invoices: 2_000 },
      keys: {
        [DEFAULT_API_KEY]: { allowed: null, revokedAfterRequests: 9 },
        sk_test_second00000000000: { allowed: null },
      },
    })
    await using lake = await TestLake.open()
    const flags = [
      'sync',
      '--source',
      'stripe',
      '--set',
      `baseUrl=${server.url}`,
      '--table',
      'invoices',
      '--to',
      ARM,
      ...QUICK,
    ]
    const revoked = await lake.run(flags, { LAKEDUEL_SOURCE_STRIPE_API_KEY: DEFAULT_API_KEY })
    expect([revoked.exitCode, revoked.stdout]).toEqual([1, expect.stringContaining('"class": "user"')])
    const mended = await lake.run(flags, { LAKEDUEL_SOURCE_STRIPE_API_KEY: 'sk_test_second00000000000' })
    expect(mended.exitCode, mended.stderr).toBe(0)
    expect(await lake.contents(ARM, 'invoices')).toMatchObject({ rows: 2_000n, keys: 2_000n })
    expect(server.stats().pagesRepeated['invoices'] ?? 0).toBeLessThanOrEqual(1)
  }, 200_000)

  test('a column that changes its type names both types and the way out', async () => {
    await using lake = await TestLake.open()
    const drift = [{ atRow: 2_000, column: 'int64_1', to: 'unicode' }]
    const table = { name: 'events', rows: 4_000, columns: ['int64'], declared: false, drift }
    const source = await lake.source('synthetic', { tables: [table] })
    const run = await lake.run([
      'sync',
      ...source,
      '--table',
      'events',
      '--to',
      ARM,
      '--batch-rows',
      '1000',
      ...QUICK,
    ])
    expect(run.exitCode).toBe(1)
    expect(run.stdout).toMatch(/SCHEMA_MISMATCH|schema_mismatch/i)
    expect(run.stdout).toMatch(/int64_1/)
  }, 200_000)

  test('an empty table becomes an empty table', async () => {
    await using database = await SourceDatabase.open('CREATE TABLE nothing (id int PRIMARY KEY, name text)')
    await using lake = await TestLake.open()
    const flags = ['--table', 'nothing', '--to', ARM, '--mode', 'full-refresh', ...QUICK]
    const run = await lake.run(['sync', ...database.flags, ...flags])
    expect(run.exitCode, run.stderr).toBe(0)
    expect(await lake.contents(ARM, 'nothing')).toMatchObject({ rows: 0n })
  }, 200_000)
})

describe('nested tables', () => {
  test.each(['ducklake/merge', 'delta/deltalite'] as const)(
    'line items take their invoices from the table that is stored by %s',
    async (arm) => {
      await using server = await startStripeServer({ counts: { invoices: 1_500 } })
      await using lake = await TestLake.open()
      const source = ['--source', 'stripe', '--set', `baseUrl=${server.url}`]
      const tables = ['--table', 'invoices', '--table', 'invoice_line_items']
      const env = { LAKEDUEL_SOURCE_STRIPE_API_KEY: DEFAULT_API_KEY }
      const run = await lake.run(['sync', ...source, ...tables, '--to', arm, ...QUICK], env)
      expect(run.exitCode, run.stderr).toBe(0)
      expect(server.stats().pages['invoices']).toBe(15)
      const [orphans] = await lake.query(
        arm,
        z.object({ orphans: z.bigint(), lines: z.bigint() }),
        (relation) =>
          `SELECT count(*) FILTER (WHERE invoice.id IS NULL) AS orphans, count(*) AS lines
           FROM ${relation('invoice_line_items')} AS line LEFT JOIN ${relation('invoices')} AS invoice ON invoice.id = line.invoice_id`,
      )
      expect(orphans?.orphans).toBe(0n)
      expect(Number(orphans?.lines)).toBeGreaterThan(1_500)
    },
    200_000,
  )
})

describe('a batch that is too much for its pod', () => {
  test('is applied in halves, and every row of it is there once', async () => {
    await using lake = await TestLake.open()
    const table = { name: 'wide', rows: 160, widthBytes: 2_000_000, pageRows: 8, columns: ['int64'] }
    const source = await lake.source('synthetic', { tables: [table] })
    const memory = ['--loader-memory', '420MiB']
    const flags = ['--table', 'wide', '--to', 'delta/merge', '--mode', 'incremental', '--partition', 'none']
    const run = await lake.run(['sync', ...source, ...flags, ...memory, ...QUICK])
    expect(run.exitCode, run.stderr).toBe(0)
    expect(await lake.contents('delta/merge', 'wide')).toMatchObject({ rows: 160n, keys: 160n })
  }, 400_000)
})
