import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { classify } from '../../../../pipeline/sources/errors.ts'
import { postgres } from '../../../../pipeline/sources/postgres/index.ts'
import type { Cursor, Row, Source } from '../../../../pipeline/sources/source.ts'
import { ConnectionFaults } from '../../../../scenarios/import/connection-faults.ts'
import { pagesOf, requestOf, rowsOf, TestDatabase, tableNamed } from './database.ts'
import { TestStaging } from './staging.ts'

let database: TestDatabase
let staging: TestStaging
let source: Source
beforeAll(async () => {
  database = await TestDatabase.create()
  staging = await TestStaging.create()
  source = await database.open()
  await database.client.query(`
    CREATE TABLE orders (id int8 PRIMARY KEY, note text);
    INSERT INTO orders SELECT i, repeat('note ', 20) || i FROM generate_series(1, 40000) AS i;
    CREATE FUNCTION refuse(state text) RETURNS int4 LANGUAGE plpgsql AS
      $$ BEGIN RAISE EXCEPTION USING ERRCODE = state, MESSAGE = 'canceling statement due to conflict with recovery'; END $$;
    CREATE VIEW conflicting AS SELECT i AS id, CASE WHEN i < 300 THEN i ELSE refuse('40001') END AS n FROM generate_series(1, 500) AS i;
    CREATE VIEW slow AS SELECT i AS id, CASE WHEN i < 150 THEN '' ELSE pg_sleep(0.1)::text END AS n FROM generate_series(1, 500) AS i;
    ANALYZE`)
})
afterAll(async () => {
  await source[Symbol.asyncDispose]()
  await staging[Symbol.asyncDispose]()
  await database[Symbol.asyncDispose]()
})

interface Progress {
  readonly rows: Row[]
  cursor: Cursor | null
}

/** Reads until it fails, and tells of what. */
async function readOn(
  from: Source,
  progress: Progress,
  onPage: () => Promise<void> | void,
): Promise<unknown> {
  const table = await tableNamed(source, 'orders')
  try {
    const request = requestOf(table, { resume: progress.cursor, limits: { pageRows: 1_000 } })
    for await (const page of from.read(request)) {
      progress.rows.push(...page.rows)
      progress.cursor = page.cursor
      await onPage()
    }
    return null
  } catch (error) {
    return error
  }
}

test('after a connection that was reset, the read goes on from its last cursor', async () => {
  const { host, port } = postgres.config.parse(database.config())
  await using faults = await ConnectionFaults.before(host, port)
  await using behind = await database.open({ host: '127.0.0.1', port: faults.port })
  const progress: Progress = { rows: [], cursor: null }
  let pages = 0
  let resets = 0
  for (;;) {
    const error = await readOn(behind, progress, () => {
      pages += 1
      if (pages % 9 === 0) faults.cut()
    })
    if (error === null) break
    resets += 1
    expect(classify(postgres, error)).toMatchObject({ class: 'source', code: 'connection_lost' })
  }
  expect(resets).toBeGreaterThan(2)
  expect(progress.rows).toEqual(await rowsOf(source, 'orders'))
})

test('a backend that the server ends is the server’s to mend, and the read goes on', async () => {
  const progress: Progress = { rows: [], cursor: null }
  let pages = 0
  const error = await readOn(source, progress, async () => {
    pages += 1
    if (pages !== 5) return
    await database.client.query(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()`,
    )
  })
  expect(classify(postgres, error)).toMatchObject({ class: 'source', code: 'connection_lost' })
  expect(await readOn(source, progress, () => undefined)).toBeNull()
  expect(progress.rows).toHaveLength(40_000)
})

test('a connection that is lost while parts are staged is told, and the parts go on from the last cursor', async () => {
  const { host, port } = postgres.config.parse(database.config())
  await using faults = await ConnectionFaults.before(host, port)
  await using behind = await database.open({ host: '127.0.0.1', port: faults.port })
  const table = await tableNamed(source, 'orders')
  const staged = []
  let cursor: Cursor | null = null
  let failures = 0
  for (let done = false; !done; ) {
    try {
      const request = requestOf(table, { resume: cursor })
      for await (const page of (await behind.stageParts?.(
        request,
        staging.target(table, { partRows: 9_000 }),
      )) ?? []) {
        staged.push(page)
        cursor = page.cursor
        if (staged.length % 2 === 0) faults.cut()
      }
      done = true
    } catch (error) {
      failures += 1
      expect(classify(postgres, error)).toMatchObject({ class: 'source', code: 'connection_lost' })
    }
  }
  expect(failures).toBeGreaterThan(0)
  const ids = (await staging.rowsOf(table, staged)).map((row) => Number(row['id']))
  expect(ids.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 40_000 }, (_, at) => at + 1))
})

test('a conflict on a replica is tried again', async () => {
  const error = await pagesOf(source, 'conflicting').catch((thrown: unknown) => thrown)
  expect(classify(postgres, error)).toMatchObject({ class: 'source', code: 'read_conflict' })
})

test('a view that fails on a row, or was never filled, is the user’s to mend', async () => {
  await database.client.query(`
    CREATE VIEW divided AS SELECT i AS id, 100 / (i - 300) AS n FROM generate_series(1, 500) AS i;
    CREATE MATERIALIZED VIEW unfilled AS SELECT 1 AS id WITH NO DATA`)
  const divided = classify(postgres, await pagesOf(source, 'divided').catch((thrown: unknown) => thrown))
  expect(divided).toMatchObject({ class: 'user', code: 'value_fails' })
  const unfilled = classify(postgres, await pagesOf(source, 'unfilled').catch((thrown: unknown) => thrown))
  expect(unfilled).toMatchObject({ class: 'user', code: 'not_readable' })
})

test('a statement that takes too long is ended by the limit that is set', async () => {
  await using hasty = await database.open({ statementTimeoutMs: 300 })
  const error = await pagesOf(hasty, 'slow').catch((thrown: unknown) => thrown)
  expect(classify(postgres, error)).toMatchObject({ class: 'source', code: 'timed_out' })
})

test('a signal ends a read that waits, with its reason', async () => {
  const controller = new AbortController()
  const reason = new Error('enough')
  const table = await tableNamed(source, 'slow')
  const reading = (async () => {
    for await (const page of source.read(requestOf(table, { signal: controller.signal })))
      expect(page).toBeDefined()
  })()
  setTimeout(() => controller.abort(reason), 500)
  const startedMs = performance.now()
  await expect(reading).rejects.toBe(reason)
  expect(performance.now() - startedMs).toBeLessThan(5_000)
})

test('closing the source ends its reads', async () => {
  const own = await database.open()
  const table = await tableNamed(own, 'orders')
  const pages = own.read(requestOf(table, { limits: { pageRows: 100 } }))[Symbol.asyncIterator]()
  expect((await pages.next()).done).toBe(false)
  await own[Symbol.asyncDispose]()
  await expect(pages.next()).rejects.toThrow('closed')
})

describe('what can’t be connected to', () => {
  test.each([
    ['a wrong password', { password: 'wrong' }, 'user', 'bad_credentials'],
    ['a user that isn’t there', { user: 'nobody_here' }, 'user', 'bad_credentials'],
    ['a database that isn’t there', { database: 'no_such_database' }, 'user', 'database_missing'],
    ['a host that isn’t there', { host: 'no-such-host.invalid' }, 'user', 'host_unknown'],
    ['a port where nothing listens', { port: 1 }, 'source', 'connection_lost'],
    ['a server without TLS', { sslmode: 'require' }, 'user', 'tls_refused'],
    [
      'an authority file that isn’t there',
      { sslmode: 'verify-full', caFile: '/no/such.pem' },
      'user',
      'file_missing',
    ],
  ] as const)('%s is told', async (_, changes, failureClass, code) => {
    await using wrong = await database.open(changes)
    const error = await wrong.checkCredentials().catch((thrown: unknown) => thrown)
    const failure = classify(postgres, error)
    expect(failure).toMatchObject({ class: failureClass, code })
    expect(failure.message).not.toContain('wrong')
  })
})

test('settings that contradict the database are told', async () => {
  const cases = [
    { schemas: ['public', 'nowhere'] },
    { tables: ['orders', 'nothing'] },
    { keys: { orders: ['nothing'] } },
    { excludeColumns: { orders: ['nothing'] } },
    { excludeColumns: { orders: ['id'] } },
  ]
  for (const changes of cases) {
    await using wrong = await database.open(changes)
    const error = await wrong.discover().catch((thrown: unknown) => thrown)
    expect(classify(postgres, error).class, JSON.stringify(changes)).toBe('user')
    expect(classify(postgres, error).message).toMatch(/noth|nowhere|id/)
  }
})
