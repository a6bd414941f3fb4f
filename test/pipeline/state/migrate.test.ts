import { randomUUID } from 'node:crypto'
import { expect, inject, onTestFinished, test } from 'vitest'
import { openState } from '../../../pipeline/state/store.ts'
import { withPostgres } from '../../../platform/services/postgres/client.ts'
import { dropSchemas } from '../../../platform/services/postgres/schemas.ts'
import { startChild } from './child.ts'
import { openTestState, specFor } from './fixture.ts'

const { postgres } = inject('services')

function freshSchema(): string {
  const schema = `state_${randomUUID().slice(0, 8)}`
  onTestFinished(() => dropSchemas(postgres, [schema, `${schema}_queue`]))
  return schema
}

test('five processes that start on an empty database make one state together', async () => {
  const schema = freshSchema()
  const children = Array.from({ length: 5 }, () =>
    startChild({ endpoint: postgres, schema }, { kind: 'open' }),
  )
  await Promise.all(children.map((child) => child.until('done')))
  await using state = await openState(postgres, { schema })
  expect((await state.runs.begin(specFor('invoices'), { resume: true })).resumed).toBe(false)
})

test('an installation that was killed on its way is completed by the next', async () => {
  const schema = freshSchema()
  await withPostgres(postgres, async (client) => {
    await client.query(`CREATE SCHEMA ${schema}`)
    await client.query(`CREATE TABLE ${schema}.migrations (version int PRIMARY KEY, at timestamptz)`)
  })
  await using state = await openState(postgres, { schema })
  expect(await state.runs.list()).toEqual([])
})

test('opening it again keeps what is there', async () => {
  const { state, open } = await openTestState()
  const { run } = await state.runs.begin(specFor('invoices'), { resume: true })
  expect(await (await open({ supervise: true })).runs.get(run.runId)).toEqual(run)
})

test('a state of a newer program is left alone', async () => {
  const { sql, open } = await openTestState()
  await sql('INSERT INTO migrations VALUES (1000, now())')
  await expect(open()).rejects.toMatchObject({ code: 'STATE_TOO_NEW', facts: { version: 1000 } })
})

test('a server that can’t be reached is told at once', async () => {
  const startedAt = performance.now()
  await expect(openState({ ...postgres, port: 1 })).rejects.toMatchObject({ code: 'POSTGRES_UNREACHABLE' })
  expect(performance.now() - startedAt).toBeLessThan(5_000)
})

test('a schema that Postgres would fold or cut is refused', async () => {
  for (const schema of ['Upper', 'a-b', '1a', 'a'.repeat(45), 'a; DROP SCHEMA public']) {
    await expect(openState(postgres, { schema })).rejects.toMatchObject({ code: 'CONFIG_INVALID' })
  }
})

test('a user that may not create schemas is told what to ask for', async () => {
  const user = `guest_${randomUUID().slice(0, 8)}`
  await withPostgres(postgres, async (client) => {
    await client.query(`CREATE ROLE ${user} LOGIN PASSWORD 'guest'`)
  })
  onTestFinished(() =>
    withPostgres(postgres, async (client) => void (await client.query(`DROP ROLE ${user}`))),
  )
  const guest = { ...postgres, user, password: 'guest' }
  await expect(openState(guest, { schema: freshSchema() })).rejects.toMatchObject({
    code: 'POSTGRES_CREDENTIALS',
    remedy: expect.stringContaining('GRANT CREATE ON DATABASE'),
  })
})
