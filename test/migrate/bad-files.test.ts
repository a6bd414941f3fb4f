import { copyFileSync, unlinkSync, writeFileSync } from 'node:fs'
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { migrateTable } from '../../migrate/migrate.ts'
import { moveTable } from '../../migrate/move/move.ts'
import type { Mode } from '../../migrate/plan/decide.ts'
import { rollback } from '../../migrate/rollback/rollback.ts'
import { parseLocation } from '../../migrate/source/location.ts'
import { openSource } from '../../migrate/source/open.ts'
import { deltaScan, LakeRoom, main, valuesOf } from './lakes.ts'
import { add, fixture, linesOf, metadata, PROTOCOL, ScratchTable, snapshotOf } from './tables.ts'

let room: LakeRoom
beforeAll(async () => {
  room = await LakeRoom.open()
})
afterAll(() => room[Symbol.asyncDispose]())

const TABLE = 'dat/basic_append/delta'
const OPTIONS = { asOf: null, own: false, history: null } as const
const TABLES = `SELECT table_name FROM duckdb_tables() WHERE database_name = 'lake'`

describe('a data file whose rows are damaged, behind a footer that is not,', () => {
  test.each<Mode>(['register', 'rewrite'])('stops a migration by --mode %s, by its name', async (mode) => {
    await using table = await ScratchTable.copyOf(TABLE)
    const [broken] = (await snapshotOf(table.path)).files
    const path = join(table.path, broken?.key ?? '')
    await writeFile(path, (await readFile(path)).fill(0xff, 4, 60))
    await using lake = await room.openLake(room.location('sqlite'))
    const access = { ...room.access(), python: inject('services').sidecar?.python ?? '' }
    await using source = await openSource(parseLocation(table.path), access, lake.session)
    const options = { ...OPTIONS, mode, verify: true, rowByRow: false, keepUnproved: false }
    const migrating = migrateTable(access, source, lake, main('t'), options, () => undefined)
    await expect(migrating).rejects.toMatchObject({
      code: 'SOURCE_BROKEN',
      message: expect.stringContaining(`${broken?.uri} can't be read as Parquet`),
    })
    // What was registered is read by the proof first, and a migration whose proof fails is undone.
    if (mode === 'rewrite') await rollback(lake, main('t'), false)
    expect(await valuesOf(lake, TABLES)).toEqual([])
  })
})

describe('a table that changes while it is moved', () => {
  test.each([
    ['of the same columns', async (path: string) => path],
    [
      'of other columns',
      async () =>
        join(fixture('dat/cdf/delta'), (await snapshotOf(fixture('dat/cdf/delta'))).files[0]?.key ?? ''),
    ],
  ])('by files %s ends as the version that was planned', async (_, fileLike) => {
    await using table = await ScratchTable.copyOf(TABLE)
    const [file] = (await snapshotOf(table.path)).files
    const written = await fileLike(join(table.path, file?.key ?? ''))
    const change = () => {
      copyFileSync(written, join(table.path, 'later.parquet'))
      writeFileSync(table.commitFile(2), linesOf([add('later.parquet', { size: file?.bytes })]))
    }
    await using lake = await room.openLake(room.location('sqlite'))
    await using source = await openSource(parseLocation(table.path), room.access(), lake.session)
    const moved = await moveTable(source, lake, main('t'), { ...OPTIONS, mode: 'auto' }, ({ filesDone }) => {
      if (filesDone === 0) change()
    })
    expect(moved?.state.version).toBe(1)
    await room.expectSame(lake, moved?.name ?? main(''), deltaScan(table.path, 1))
  })

  test.each<Mode>(['register', 'rewrite'])(
    'by VACUUM stops a migration by --mode %s, which names the file and can be taken back',
    async (mode) => {
      await using table = await ScratchTable.copyOf(TABLE)
      const [file] = (await snapshotOf(table.path)).files
      await using lake = await room.openLake(room.location('sqlite'))
      await using source = await openSource(parseLocation(table.path), room.access(), lake.session)
      const moving = moveTable(source, lake, main('t'), { ...OPTIONS, mode }, ({ filesDone }) => {
        if (filesDone === 0) unlinkSync(join(table.path, file?.key ?? ''))
      })
      await expect(moving).rejects.toMatchObject({
        code: 'SOURCE_BROKEN',
        message: expect.stringContaining(`${file?.uri} is missing`),
        remedy: expect.stringContaining('lakeduel migrate rollback'),
      })
      await rollback(lake, main('t'), false)
      expect(await valuesOf(lake, TABLES)).toEqual([])
    },
  )
})

test('a table without files ends as one without rows', async () => {
  await using table = await ScratchTable.empty()
  await table.commit(0, [PROTOCOL, metadata()])
  await using lake = await room.openLake(room.location('sqlite'))
  await room.move(lake, table.path, main('t'))
  await room.expectSame(lake, main('t'), deltaScan(table.path))
  expect(await readdir(table.path)).toEqual(['_delta_log'])
})

test('a file in the place of a table is no Delta table', async () => {
  await using table = await ScratchTable.copyOf(TABLE)
  const [file] = (await snapshotOf(table.path)).files
  await expect(snapshotOf(join(table.path, file?.key ?? ''))).rejects.toMatchObject({
    code: 'TABLE_NOT_FOUND',
  })
})
