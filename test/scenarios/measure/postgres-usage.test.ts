import { randomUUID } from 'node:crypto'
import { expect, inject, test } from 'vitest'
import { withPostgres } from '../../../platform/services/postgres/client.ts'
import { openPostgresMeter } from '../../../scenarios/measure/postgres-usage.ts'

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
