import { expect, test } from 'vitest'
import { z } from 'zod'
import { DuckDbError, DuckDbSession } from '../../../platform/duckdb/session.ts'

const open = (secrets: readonly string[] = []) =>
  DuckDbSession.open({ extensionPaths: {}, extensions: [], settings: { threads: 1 }, secrets })

const countSchema = z.object({ n: z.bigint() })

test('a transaction whose action throws leaves nothing behind', async () => {
  await using session = await open()
  await session.run('CREATE TABLE t (a INTEGER)')
  const failing = session.transaction(async () => {
    await session.run('INSERT INTO t VALUES (1)')
    throw new Error('given up')
  })
  await expect(failing).rejects.toThrow('given up')
  expect(await session.query(countSchema, 'SELECT count(*) AS n FROM t')).toEqual([{ n: 0n }])
})

test('a result that is not worth a commit rolls the transaction back', async () => {
  await using session = await open()
  await session.run('CREATE TABLE t (a INTEGER)')
  const insert = () => session.run('INSERT INTO t VALUES (1), (2)')
  expect(await session.transaction(insert, () => false)).toBe(2)
  expect(await session.query(countSchema, 'SELECT count(*) AS n FROM t')).toEqual([{ n: 0n }])
  await session.transaction(insert)
  expect(await session.query(countSchema, 'SELECT count(*) AS n FROM t')).toEqual([{ n: 2n }])
})

test('sessions beside each other see the same tables in the same settings, and end with the first', async () => {
  const first = await DuckDbSession.open({
    extensionPaths: {},
    extensions: [],
    settings: { threads: 1, TimeZone: 'Asia/Tokyo' },
    secrets: [],
  })
  const beside = await first.beside()
  await first.run('CREATE TABLE t (a INTEGER)')
  await Promise.all([first.run('INSERT INTO t VALUES (1)'), beside.run('INSERT INTO t VALUES (2)')])
  expect(await beside.query(countSchema, 'SELECT count(*) AS n FROM t')).toEqual([{ n: 2n }])
  const zoneSchema = z.object({ zone: z.string() })
  expect(await beside.query(zoneSchema, `SELECT current_setting('TimeZone') AS zone`)).toEqual([
    { zone: 'Asia/Tokyo' },
  ])
  await first.close()
  await expect(beside.run('SELECT 1')).rejects.toBeInstanceOf(DuckDbError)
})

test('an error of the engine does not quote a secret of the session', async () => {
  await using session = await open(['hunter2'])
  const failing = session.run(`SELECT 'hunter2'::INTEGER`)
  await expect(failing).rejects.toBeInstanceOf(DuckDbError)
  await expect(failing).rejects.not.toThrow('hunter2')
})

test('unsigned extensions cannot be allowed later on', async () => {
  await using session = await open()
  await expect(session.set('allow_unsigned_extensions', true)).rejects.toBeInstanceOf(DuckDbError)
})

test('an extension without a path is named', async () => {
  const opening = DuckDbSession.open({
    extensionPaths: {},
    extensions: ['httpfs'],
    settings: {},
    secrets: [],
  })
  await expect(opening).rejects.toMatchObject({ code: 'TOOL_MISSING', facts: { extension: 'httpfs' } })
})
