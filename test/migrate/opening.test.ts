import { once } from 'node:events'
import { chmod, mkdir, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { execa } from 'execa'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { openLake } from '../../migrate/lake/lake.ts'
import type { CatalogLocation } from '../../migrate/lake/target.ts'
import { withPostgres } from '../../platform/services/postgres/client.ts'
import { CATALOGS, LakeRoom, main } from './lakes.ts'
import { fixture } from './tables.ts'

let room: LakeRoom
beforeAll(async () => {
  room = await LakeRoom.open()
})
afterAll(() => room[Symbol.asyncDispose]())

const FILES = ['sqlite', 'duckdb'] as const

/** Opens a catalog and closes it; resolves when that worked. */
async function open(location: CatalogLocation, dataPath: string | null = join(room.folder, 'data')) {
  await using _ = await openLake(location, room.access(), { dataPath, readOnly: false })
}

describe.each(CATALOGS)('a catalog in %s', (kind) => {
  test('that is not there is made only where a DATA_PATH is given, and nothing is left behind else', async () => {
    const location = room.location(kind)
    await expect(open(location, null)).rejects.toMatchObject({
      code: 'USAGE',
      message: expect.stringContaining('There is no DuckLake catalog'),
      remedy: expect.stringContaining('--data-path'),
    })
    if (location.kind !== 'postgres')
      expect(await readdir(room.folder)).not.toContain(location.path.slice(room.folder.length + 1))
  })

  test('that has another DATA_PATH keeps it, and says so', async () => {
    const location = room.location(kind)
    await open(location)
    const other = open(location, join(room.folder, 'other'))
    await expect(other).rejects.toMatchObject({
      code: 'USAGE',
      message: expect.stringMatching(/has the DATA_PATH .*\/data\/, and not .*\/other\//),
    })
  })
})

describe.each(FILES)('a file for a catalog in %s', (kind) => {
  test('that is none, or lies nowhere, is told', async () => {
    const path = join(room.folder, `text-${kind}`)
    await writeFile(path, 'no database '.repeat(1_000))
    await expect(open({ kind, path })).rejects.toMatchObject({
      code: 'USAGE',
      message: expect.stringContaining('is no database of that kind'),
    })
    await expect(open({ kind, path: join(room.folder, 'no', 'where') })).rejects.toThrow('There is no folder')
    await expect(open({ kind, path: room.folder })).rejects.toThrow('There is no file')
  })

  // Root may write to any file.
  test.skipIf(process.getuid?.() === 0)(
    'that can only be read is refused before anything is begun',
    async () => {
      const location = room.location(kind)
      await open(location)
      if (location.kind !== 'postgres') await chmod(location.path, 0o444)
      await expect(open(location)).rejects.toMatchObject({ code: 'MIGRATION_REFUSED' })
    },
  )
})

test('a DuckDB file that another process has open is told as held', async () => {
  const path = join(room.folder, 'held.duckdb')
  await open({ kind: 'duckdb', path })
  const holding = `const { DuckDBInstance } = await import('@duckdb/node-api')
    globalThis.held = await DuckDBInstance.create(${JSON.stringify(path)})
    console.log('held')
    process.stdin.resume()`
  const holder = execa(process.execPath, ['--input-type=module', '-e', holding], { stdout: 'pipe' })
  await once(holder.stdout, 'data')
  await expect(open({ kind: 'duckdb', path })).rejects.toThrow('is held, or being made, by another process')
  holder.stdin.end()
  await holder
})

describe('a Postgres', () => {
  const at = (overrides: object): CatalogLocation => {
    const { access, schema } = room.schema()
    return { kind: 'postgres', schema, access: { ...access, ...overrides } }
  }

  test.each([
    ['refuses a wrong password', { password: 'no-such-password' }, 'POSTGRES_CREDENTIALS', /refuses user/],
    ['lacks the database', { database: 'no_such' }, 'CONFIG_INVALID', /has no database 'no_such'/],
    ['does not answer', { port: 1 }, 'POSTGRES_UNREACHABLE', /cannot be reached/],
  ])('that %s is told so, without the password', async (_, overrides, code, message) => {
    const opening = open(at(overrides))
    await expect(opening).rejects.toMatchObject({
      code,
      message: expect.stringMatching(message),
      remedy: expect.stringContaining('--to'),
    })
    await expect(opening).rejects.not.toThrow(/no-such-password/)
  })

  test('whose user may only read, or in read-only transactions alone, is refused before anything is begun', async () => {
    const location = room.schema()
    await open(location)
    const role = `${location.schema}_reader`
    const { postgres } = inject('services')
    await withPostgres(postgres, async (client) => {
      await client.query(`CREATE ROLE ${role} LOGIN PASSWORD 'reads'`)
      await client.query(`GRANT USAGE ON SCHEMA ${location.schema} TO ${role}`)
      await client.query(`GRANT SELECT ON ALL TABLES IN SCHEMA ${location.schema} TO ${role}`)
    })
    try {
      const reading = { ...location, access: { ...location.access, user: role, password: 'reads' } }
      await expect(open(reading)).rejects.toMatchObject({
        code: 'MIGRATION_REFUSED',
        message: expect.stringContaining(`user '${role}' has no right to insert`),
      })
      await withPostgres(postgres, (client) =>
        client.query(`ALTER ROLE ${role} SET default_transaction_read_only = on`),
      )
      await expect(open(reading)).rejects.toThrow('read-only transactions')
      await using lake = await openLake(reading, room.access(), { dataPath: null, readOnly: true })
      expect(lake.dataPath).toContain('data')
    } finally {
      await withPostgres(postgres, async (client) => {
        await client.query(`DROP OWNED BY ${role}`)
        await client.query(`DROP ROLE ${role}`)
      })
    }
  })
})

test('a DATA_PATH that can not be written to leaves nothing begun', async () => {
  const dataPath = join(room.folder, 'a-file')
  await writeFile(dataPath, '')
  await mkdir(join(room.folder, 'begun'))
  await using lake = await room.openLake({ kind: 'sqlite', path: join(room.folder, 'begun', 'x') }, dataPath)
  await expect(
    room.move(lake, fixture('dat/basic_append/delta'), main('t'), { mode: 'rewrite' }),
  ).rejects.toMatchObject({ remedy: expect.stringContaining('Nothing was begun') })
})
