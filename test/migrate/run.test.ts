import { readdir, readFile, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { execa } from 'execa'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { guard } from '../../migrate/lake/guard.ts'
import { sqlName } from '../../migrate/lake/table-name.ts'
import { moveTable } from '../../migrate/move/move.ts'
import { rollback } from '../../migrate/rollback/rollback.ts'
import { parseLocation } from '../../migrate/source/location.ts'
import { openSource } from '../../migrate/source/open.ts'
import { CATALOGS, deltaScan, LakeRoom, main, valuesOf } from './lakes.ts'
import { upload } from './services.ts'
import { add, fixture, metadata, PROTOCOL, ScratchTable } from './tables.ts'

let room: LakeRoom
beforeAll(async () => {
  room = await LakeRoom.open()
})
afterAll(() => room[Symbol.asyncDispose]())

/** The names and bytes of all files below a folder. */
async function contentOf(folder: string): Promise<ReadonlyMap<string, string>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
  return new Map(
    await Promise.all(files.map(async (file) => [file, await readFile(file, 'base64')] as const)),
  )
}

describe.each(CATALOGS)('with a catalog in %s', (kind) => {
  test('nothing that DuckLake cleans up takes a file from the Delta table', async () => {
    await using table = await ScratchTable.copyOf('delta-kernel-defaults/basic-dv-no-checkpoint')
    const before = await contentOf(table.path)
    await using lake = await room.openLake(room.location(kind), join(room.folder, `data-${kind}`))
    const target = main('t')
    await room.move(lake, table.path, target)
    const name = sqlName(target)
    await lake.session.run(`DELETE FROM ${name} WHERE id < 3`)
    await lake.session.run(`UPDATE ${name} SET id = id + 100 WHERE id = 5`)
    const maintenance = [
      "CALL ducklake_rewrite_data_files('lake', delete_threshold => 0)",
      "CALL ducklake_merge_adjacent_files('lake')",
      "CALL ducklake_expire_snapshots('lake', older_than => now())",
      "CALL ducklake_cleanup_old_files('lake', cleanup_all => true)",
      'CHECKPOINT lake',
      `DROP TABLE ${name}`,
      "CALL ducklake_expire_snapshots('lake', older_than => now())",
      "CALL ducklake_cleanup_old_files('lake', cleanup_all => true)",
      "CALL ducklake_delete_orphaned_files('lake', cleanup_all => true)",
    ]
    for (const statement of maintenance) await lake.session.run(statement)
    expect(await contentOf(table.path)).toEqual(before)
  })

  test('a rollback takes all of the migration back, and the Delta table is as it was', async () => {
    await using table = await ScratchTable.copyOf('dat/basic_partitioned/delta')
    const before = await contentOf(table.path)
    await using lake = await room.openLake(room.location(kind), join(room.folder, `data-back-${kind}`))
    for (const own of [false, true]) {
      await room.move(lake, table.path, main('t'), { own })
      await rollback(lake, main('t'), false)
      expect(
        await valuesOf(lake, `SELECT table_name FROM duckdb_tables() WHERE database_name = 'lake'`),
      ).toEqual([])
      await lake.session.run('CREATE OR REPLACE TABLE lake.other (id INTEGER)')
      await lake.session.run("CALL ducklake_expire_snapshots('lake', older_than => now())")
      await lake.session.run("CALL ducklake_cleanup_old_files('lake', cleanup_all => true)")
      await lake.session.run('DROP TABLE lake.other')
      expect(await contentOf(table.path)).toEqual(before)
    }
  })
})

test('a table on an object store is registered where it is, exactly', async () => {
  const uri = await upload(fixture('dat/basic_partitioned/delta'), 'run/partitioned/')
  const data = uri.replace('partitioned/', 'data/')
  await using lake = await room.openLake(room.location('postgres'), data, true)
  const moved = await room.move(lake, uri, main('t'), {}, true)
  expect(moved?.state).toMatchObject({ ownership: 'guarded', batches: 1, status: 'moved' })
  await room.expectSame(lake, main('t'), deltaScan(uri))
})

test('running again changes nothing, with another version it is refused', async () => {
  await using lake = await room.openLake(room.location('sqlite'))
  const uri = fixture('dat/basic_append/delta')
  await room.move(lake, uri, main('t'))
  const snapshots = () => valuesOf(lake, 'SELECT max(snapshot_id) FROM lake.snapshots()')
  const before = await snapshots()
  expect(await room.move(lake, uri, main('t'))).toBeNull()
  expect(await snapshots()).toEqual(before)
  await expect(room.move(lake, uri, main('t'), { asOf: 0 })).rejects.toMatchObject({
    code: 'MIGRATION_DIFFERS',
  })
  const other = fixture('dat/cdf/delta')
  await expect(room.move(lake, other, main('t'))).rejects.toMatchObject({ code: 'MIGRATION_DIFFERS' })
})

test('a table that is there already, or a view, is refused', async () => {
  await using lake = await room.openLake(room.location('sqlite'))
  await lake.session.run('CREATE TABLE lake.taken (id INTEGER)')
  await lake.session.run('CREATE VIEW lake.seen AS SELECT 1 AS id')
  for (const name of ['taken', 'Taken', 'seen']) {
    await expect(room.move(lake, fixture('dat/cdf/delta'), main(name))).rejects.toMatchObject({
      code: 'TABLE_EXISTS',
    })
  }
})

test('names with quotes, dots, spaces and emoji are kept, of schemas, tables and columns', async () => {
  await using table = await ScratchTable.empty()
  await using lake = await room.openLake(room.location('sqlite'))
  const columns = ['a b', 'c.d', 'e"f', "g'h", 'i😈', 'SELECT', 'x=y']
  await lake.session.run(
    `COPY (SELECT ${columns.map((name, index) => `${index} AS "${name.replaceAll('"', '""')}"`).join(', ')}) TO '${table.path}/f.parquet' (FORMAT parquet)`,
  )
  const fields = columns.map((name) => ({ name, type: 'integer', nullable: true, metadata: {} }))
  const { size } = await stat(`${table.path}/f.parquet`)
  await table.commit(0, [
    PROTOCOL,
    metadata({ schemaString: JSON.stringify({ type: 'struct', fields }) }),
    add('f.parquet', { size }),
  ])
  const target = { schema: "it's a.schema", table: 'ta"ble 😈.x' }
  await room.move(lake, table.path, target)
  await room.expectSame(lake, target, deltaScan(table.path))
})

test('a DATA_PATH above or below the Delta table is refused', async () => {
  await using table = await ScratchTable.copyOf('dat/cdf/delta')
  for (const dataPath of [table.path, join(table.path, 'lake'), join(table.path, '..')]) {
    await using lake = await room.openLake(room.location('sqlite'), dataPath)
    await expect(room.move(lake, table.path, main('t'))).rejects.toThrow('lie within one another')
  }
})

test('a table that was written to since is rolled back only when it must be', async () => {
  await using lake = await room.openLake(room.location('sqlite'))
  await room.move(lake, fixture('dat/basic_append/delta'), main('t'))
  await lake.session.run(`DELETE FROM ${sqlName(main('t'))} WHERE letter = 'a'`)
  await expect(rollback(lake, main('t'), false)).rejects.toMatchObject({ code: 'MIGRATION_REFUSED' })
  await rollback(lake, main('t'), true)
  await expect(rollback(lake, main('t'), false)).rejects.toMatchObject({ code: 'TABLE_NOT_FOUND' })
})

test('of two migrators at once one moves the table, and the other fails', async () => {
  const location = room.location('postgres')
  await using first = await room.openLake(location)
  await using second = await room.openLake(location)
  const uri = fixture('dat/basic_partitioned/delta')
  const outcomes = await Promise.allSettled([first, second].map((lake) => room.move(lake, uri, main('t'))))
  const failed = outcomes.filter(({ status }) => status === 'rejected')
  expect(failed.length).toBeLessThan(2)
  expect(await room.move(second, uri, main('t')).catch(() => null)).toBeNull()
  await using reader = await room.openLake(location)
  await room.expectSame(reader, main('t'), deltaScan(uri))
})

test('guarding twice, and from two sides, leaves one guard', async () => {
  const location = room.location('postgres')
  await using lake = await room.openLake(location)
  await Promise.all(Array.from({ length: 4 }, () => guard(lake, '/some/where/')))
  const guarded = await valuesOf(lake, `SELECT path_prefix FROM ${lake.metadata}.lakeduel_guarded_path`)
  expect(guarded).toEqual(['/some/where/'])
})

test('NaN that the bounds of a file leave out is found by filters after the move', async () => {
  await using lake = await room.openLake(room.location('sqlite'))
  await using table = await ScratchTable.empty()
  await writeWithNan(table.path)
  const moved = await room.move(lake, table.path, main('t'))
  expect(moved?.plan?.files.map(({ action, reasons }) => [action, reasons.join()])).toEqual([
    ['rewrite', expect.stringContaining('NaN')],
  ])
  expect(await valuesOf(lake, `SELECT count(*) FROM ${sqlName(main('t'))} WHERE d > 5`)).toEqual([1n])
})

/** By delta-rs, whose bounds say nothing of NaN. */
async function writeWithNan(path: string): Promise<void> {
  const script = `
import sys, pyarrow as pa, deltalake
deltalake.write_deltalake(sys.argv[1], pa.table({'id': [1, 2, 3], 'd': [1.0, float('nan'), 2.0]}), mode='overwrite')`
  await rm(join(path, '_delta_log'), { recursive: true })
  await execa(inject('services').sidecar?.python ?? 'python3', ['-c', script, path])
}

test('a migration that refuses leaves nothing in the catalog', async () => {
  await using lake = await room.openLake(room.location('sqlite'))
  await expect(
    room.move(lake, fixture('dat/multi_partitioned/delta'), main('t'), { mode: 'register' }),
  ).rejects.toMatchObject({
    code: 'MIGRATION_REFUSED',
  })
  expect(await valuesOf(lake, `SELECT table_name FROM duckdb_tables() WHERE database_name = 'lake'`)).toEqual(
    [],
  )
})

test('a migration that stopped is not seen by readers, and goes on', async () => {
  await using lake = await room.openLake(room.location('sqlite'))
  const uri = fixture('dat/basic_partitioned/delta')
  await using source = await openSource(parseLocation(uri), room.access())
  const options = { mode: 'auto', asOf: null, own: false, history: null } as const
  const stopping = moveTable(source, lake, main('t'), options, ({ filesDone }) => {
    if (filesDone > 0) throw new Error('stopped')
  })
  await expect(stopping).rejects.toThrow('stopped')
  await expect(valuesOf(lake, `SELECT * FROM ${sqlName(main('t'))}`)).rejects.toThrow('does not exist')
  await expect(room.move(lake, uri, main('t'), { mode: 'rewrite' })).rejects.toMatchObject({
    code: 'MIGRATION_DIFFERS',
  })
  await room.move(lake, uri, main('t'))
  await room.expectSame(lake, main('t'), deltaScan(uri))
})
