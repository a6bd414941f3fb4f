import { randomUUID } from 'node:crypto'
import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Client } from 'pg'
import { expect, inject, test } from 'vitest'
import { withPostgres } from '../../../platform/services/postgres/client.ts'
import { startLocalPostgres } from '../../../platform/services/postgres/local.ts'
import { probePostgres } from '../../../platform/services/postgres/probe.ts'
import {
  openPostgresMeter,
  type PostgresMeter,
  type PostgresUsage,
} from '../../../scenarios/measure/postgres-usage.ts'

const { postgres } = inject('services')
if (!postgres.statStatements)
  console.warn('Counts of statements are not tested: pg_stat_statements is not loaded')

/** A database of the test's own, since all statements in it are counted. */
async function withOwnDatabase(work: (endpoint: typeof postgres) => Promise<void>): Promise<void> {
  const database = `meter_${randomUUID().slice(0, 8)}`
  await withPostgres(postgres, async (client) => {
    await client.query(`CREATE DATABASE ${database}`)
    try {
      await work({ ...postgres, database })
    } finally {
      await client.query(`DROP DATABASE ${database} WITH (FORCE)`)
    }
  })
}

test.runIf(postgres.statStatements)(
  'statements and their WAL are counted, and the meter’s own are not',
  async () => {
    await withOwnDatabase(async (endpoint) => {
      await withPostgres(endpoint, async (client) => {
        await client.query('CREATE EXTENSION pg_stat_statements')
        await client.query('CREATE TABLE filler (id int, body text)')
        await using meter = await openPostgresMeter(endpoint)
        const idle = await meter.start()
        expect(await idle()).toEqual({ status: 'measured', calls: 0, walBytes: 0 })
        const stop = await meter.start()
        await client.query('BEGIN')
        for (let i = 0; i < 10; i++) {
          await client.query(
            'INSERT INTO filler SELECT $1::int, repeat(md5($1::text), 3) FROM generate_series(1, 100)',
            [i],
          )
        }
        await client.query('COMMIT')
        const usage = await stop()
        expect(usage).toMatchObject({ status: 'measured', calls: 12 })
        // 1,000 rows of 96 bytes of text, each with the headers of its tuple and of its WAL record.
        expect(usage.status === 'measured' && usage.walBytes).toBeGreaterThan(1000 * 96)
        expect(usage.status === 'measured' && usage.walBytes).toBeLessThan(1000 * 300)
      })
    })
  },
)

test.runIf(postgres.statStatements)('two meters on one database give no count, with the reason', async () => {
  await withOwnDatabase(async (endpoint) => {
    await withPostgres(endpoint, (client) => client.query('CREATE EXTENSION pg_stat_statements'))
    await using meter = await openPostgresMeter(endpoint)
    const stop = await meter.start()
    const neighbour = await openPostgresMeter(endpoint)
    expect(await stop()).toMatchObject({
      status: 'unavailable',
      reason: expect.stringContaining('another run'),
    })
    await neighbour[Symbol.asyncDispose]()
  })
})

test.runIf(postgres.statStatements && postgres.origin !== 'configured')(
  'statements from before a count are forgotten on a server of ours, and kept on any other',
  async () => {
    const remembered = async (endpoint: typeof postgres) => {
      await withPostgres(endpoint, (client) => client.query('SELECT 7 AS remembered'))
      await using meter = await openPostgresMeter(endpoint)
      const stop = await meter.start()
      expect(await stop()).toMatchObject({ status: 'measured', calls: 0 })
      return await withPostgres(endpoint, async (client) => {
        const { rowCount } = await client.query(
          `SELECT 1 FROM pg_stat_statements JOIN pg_database ON oid = dbid
           WHERE datname = current_database() AND query LIKE '%AS remembered'`,
        )
        return rowCount
      })
    }
    await withOwnDatabase(async (endpoint) => {
      await withPostgres(endpoint, (client) => client.query('CREATE EXTENSION pg_stat_statements'))
      expect(await remembered(endpoint)).toBe(0)
      await withPostgres(endpoint, (client) =>
        client.query(`ALTER DATABASE ${endpoint.database} SET lakeduel.own_server = 'off'`),
      )
      expect(await remembered(endpoint)).toBe(1)
    })
  },
)

test.runIf(postgres.statStatements)('a meter that stands aside lets another one count', async () => {
  await withOwnDatabase(async (endpoint) => {
    await withPostgres(endpoint, (client) => client.query('CREATE EXTENSION pg_stat_statements'))
    await using waiting = await openPostgresMeter(endpoint)
    await using meter = await openPostgresMeter(endpoint)
    const counted = await waiting.aside(async () => {
      const stop = await meter.start()
      return await stop()
    })
    expect(counted).toMatchObject({ status: 'measured', calls: 0 })
    const stop = await meter.start()
    expect(await stop()).toMatchObject({ status: 'unavailable' })
  })
})

test('a count is never negative while entries are dropped', async () => {
  // A server of its own, since entries are dropped for all databases of a server.
  const runDir = await mkdtemp(join(tmpdir(), 'lakeduel-test-'))
  await chmod(runDir, 0o755)
  const { server, stop } = await startLocalPostgres({
    runDir,
    port: null,
    signal: new AbortController().signal,
  })
  try {
    const endpoint = await probePostgres(server)
    await using meter = await openPostgresMeter(endpoint)
    const [usages] = await Promise.all([
      countRepeatedly(meter),
      withPostgres(endpoint, (client) => forgetRepeatedly(client)),
    ])
    expect(usages.filter((usage) => usage.status === 'measured' && usage.calls < 0)).toEqual([])
    expect(usages.filter((usage) => usage.status === 'unavailable')).not.toEqual([])
  } finally {
    await stop()
    await rm(runDir, { recursive: true, force: true })
  }
})

async function countRepeatedly(meter: PostgresMeter): Promise<readonly PostgresUsage[]> {
  const usages: PostgresUsage[] = []
  for (let i = 0; i < 100; i++) usages.push(await (await meter.start())())
  return usages
}

/** What Postgres does when its entries run out: some are dropped, and a counter of that is raised. */
async function forgetRepeatedly(client: Client): Promise<void> {
  for (let i = 0; i < 100; i++) {
    for (let statement = 0; statement < 5; statement++) await client.query(`SELECT 1 AS column_${statement}`)
    await client.query('SELECT pg_stat_statements_reset()')
  }
}

test('a server without the extension is not measured, with the reason', async () => {
  await withOwnDatabase(async (endpoint) => {
    await using meter = await openPostgresMeter({ ...endpoint, statStatements: true })
    const usage = await (await meter.start())()
    expect(usage).toMatchObject({
      status: 'unavailable',
      reason: expect.stringContaining('pg_stat_statements'),
    })
  })
})
