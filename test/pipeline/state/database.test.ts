import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, inject, onTestFinished, test } from 'vitest'
import { z } from 'zod'
import { Database, type Statements } from '../../../pipeline/state/database.ts'
import { isTransient } from '../../../pipeline/state/transient.ts'
import { LakeduelError } from '../../../platform/errors.ts'
import { openTestState } from './fixture.ts'

async function openDatabase(): Promise<{ database: Database; count: () => Promise<number> }> {
  const { endpoint, schema, sql } = await openTestState()
  await sql('CREATE TABLE counters (name text PRIMARY KEY, value int)')
  await sql(`INSERT INTO counters VALUES ('a', 0), ('b', 0)`)
  const database = new Database(endpoint, { schema, queueSchema: `${schema}_queue`, connections: 3 })
  onTestFinished(() => database[Symbol.asyncDispose]())
  const row = z.object({ sum: z.coerce.number() })
  return {
    database,
    count: async () => (await database.rows(row, 'SELECT sum(value) AS sum FROM counters'))[0]?.sum ?? 0,
  }
}

const increment = async (statements: Statements, name: string) =>
  statements.run('UPDATE counters SET value = value + 1 WHERE name = $1', [name])

describe('a transaction', () => {
  test('leaves nothing behind when its work throws, and throws the same', async () => {
    const { database, count } = await openDatabase()
    const error = new LakeduelError('ENGINE_FAILED', 'on purpose')
    let tries = 0
    const failing = database.transaction(async (transaction) => {
      tries += 1
      await increment(transaction, 'a')
      throw error
    })
    await expect(failing).rejects.toBe(error)
    expect({ tries, count: await count() }).toEqual({ tries: 1, count: 0 })
  })

  test('of which a statement failed does not pass for committed, even when its work goes on', async () => {
    const { database, count } = await openDatabase()
    const swallowing = database.transaction(async (transaction) => {
      await increment(transaction, 'a')
      await transaction.run('SELECT 1 / 0').catch(() => undefined)
    })
    await expect(swallowing).rejects.toThrow('failed unnoticed')
    expect(await count()).toBe(0)
  })

  test('whose connection is ended in the middle is run again as a whole', async () => {
    const { database, count } = await openDatabase()
    let tries = 0
    await database.transaction(async (transaction) => {
      tries += 1
      await increment(transaction, 'a')
      if (tries <= 2) await transaction.run('SELECT pg_terminate_backend(pg_backend_pid())')
    })
    expect({ tries, count: await count() }).toEqual({ tries: 3, count: 1 })
  })

  test('that waits for another in a circle is run again', async () => {
    const { database, count } = await openDatabase()
    const crossing = async (first: string, second: string) =>
      database.transaction(async (transaction) => {
        await increment(transaction, first)
        await sleep(200)
        await increment(transaction, second)
      })
    await Promise.all([crossing('a', 'b'), crossing('b', 'a')])
    expect(await count()).toBe(4)
  })
})

test('a server that stays away is told as such, once waiting for it has not helped', async () => {
  const endpoint = { ...inject('services').postgres, port: 1 }
  await using database = new Database(endpoint, { schema: 'a', queueSchema: 'b', connections: 1 })
  await expect(database.run('SELECT 1')).rejects.toMatchObject({
    code: 'POSTGRES_UNREACHABLE',
    kind: 'transient',
  })
})

test('closing ends what is tried again and again', async () => {
  const endpoint = { ...inject('services').postgres, port: 1 }
  const database = new Database(endpoint, { schema: 'a', queueSchema: 'b', connections: 1 })
  const waiting = database.run('SELECT 1')
  await sleep(100)
  await database[Symbol.asyncDispose]()
  await expect(waiting).rejects.toThrow('closed')
})

test('only what may succeed the next time is tried again', () => {
  const transient = [
    Object.assign(new Error('shut down'), { code: '57P01' }),
    Object.assign(new Error('protocol'), { code: '08P01' }),
    Object.assign(new Error('refused'), { code: 'ECONNREFUSED' }),
    new AggregateError([Object.assign(new Error('refused'), { code: 'ECONNREFUSED' })]),
    new Error('Connection terminated unexpectedly'),
  ]
  const lasting = [
    Object.assign(new Error('duplicate key'), { code: '23505' }),
    new LakeduelError('POSTGRES_UNREACHABLE', 'Connection terminated unexpectedly'),
    new TypeError('x is not a function'),
    undefined,
  ]
  expect(transient.filter((error) => !isTransient(error))).toEqual([])
  expect(lasting.filter(isTransient)).toEqual([])
})
