import { chown, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execa } from 'execa'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { classify } from '../../../../pipeline/sources/errors.ts'
import { postgres } from '../../../../pipeline/sources/postgres/index.ts'
import { serverUser } from '../../../../platform/services/postgres/binaries.ts'
import { withPostgres } from '../../../../platform/services/postgres/client.ts'
import { startLocalPostgres } from '../../../../platform/services/postgres/local.ts'
import { requestOf, rowsOf, tableNamed } from './database.ts'
import { TestStaging } from './staging.ts'

let folder: string
let staging: TestStaging
let server: Awaited<ReturnType<typeof startLocalPostgres>>
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lakeduel-tls-'))
  staging = await TestStaging.create()
  server = await startLocalPostgres({ runDir: folder, port: null, signal: new AbortController().signal })
  await withPostgres(server.server, async (client) => {
    await client.query(`
      CREATE TABLE orders (id int4 PRIMARY KEY, note text); INSERT INTO orders SELECT i, 'n' || i FROM generate_series(1, 5000) AS i`)
    await client.query(`ALTER SYSTEM SET ssl = on`)
  })
})
afterAll(async () => {
  await server.stop()
  await staging[Symbol.asyncDispose]()
  await rm(folder, { recursive: true, force: true })
})

/** Gives the server a certificate of its own making for a name, and returns the file that it can be trusted by. */
async function certify(subject: string): Promise<string> {
  const [certificate, key] = ['crt', 'key'].map((ending) =>
    join(folder, `${subject.replace(/\W/g, '_')}.${ending}`),
  )
  const kind = ['-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2']
  const names = ['-subj', '/CN=lakeduel test', '-addext', `subjectAltName=${subject}`]
  await execa('openssl', ['req', ...kind, ...names, '-keyout', key ?? '', '-out', certificate ?? ''])
  const user = await serverUser()
  if (user !== null) await chown(key ?? '', user.uid, user.gid)
  await withPostgres(server.server, async (client) => {
    await client.query(`ALTER SYSTEM SET ssl_cert_file = ${client.escapeLiteral(certificate ?? '')}`)
    await client.query(`ALTER SYSTEM SET ssl_key_file = ${client.escapeLiteral(key ?? '')}`)
    await client.query('SELECT pg_reload_conf()')
    await expect
      .poll(async () => (await client.query('SHOW ssl_key_file')).rows[0])
      .toEqual({ ssl_key_file: key })
  })
  return certificate ?? ''
}

function open(changes: Readonly<Record<string, unknown>>) {
  const { host, port, user, password, database } = server.server
  return postgres.open(postgres.config.parse({ host, port, user, password, database, ...changes }))
}

async function readOnBothPaths(changes: Readonly<Record<string, unknown>>): Promise<readonly number[]> {
  await using source = await open(changes)
  const table = await tableNamed(source, 'orders')
  const staged = []
  for await (const page of (await source.stageParts?.(requestOf(table), staging.target(table))) ?? [])
    staged.push(page)
  return [(await rowsOf(source, 'orders')).length, (await staging.rowsOf(table, staged)).length]
}

test('`require` encrypts and trusts whom it meets; `verify-full` trusts whom it was told to, for their own name', async () => {
  const caFile = await certify('IP:127.0.0.1')
  expect(await readOnBothPaths({ sslmode: 'disable' })).toEqual([5_000, 5_000])
  expect(await readOnBothPaths({ sslmode: 'require' })).toEqual([5_000, 5_000])
  expect(await readOnBothPaths({ sslmode: 'verify-full', caFile })).toEqual([5_000, 5_000])
  await using distrustful = await open({ sslmode: 'verify-full' })
  const refused = classify(postgres, await distrustful.checkCredentials().catch((thrown: unknown) => thrown))
  expect(refused).toMatchObject({ class: 'user', code: 'tls_refused' })
})

test('a certificate for another name is refused by `verify-full`, and only by it', async () => {
  const caFile = await certify('DNS:other.example')
  expect(await readOnBothPaths({ sslmode: 'require' })).toEqual([5_000, 5_000])
  await using misled = await open({ sslmode: 'verify-full', caFile })
  const refused = classify(postgres, await misled.checkCredentials().catch((thrown: unknown) => thrown))
  expect(refused).toMatchObject({ class: 'user', code: 'tls_refused' })
})
