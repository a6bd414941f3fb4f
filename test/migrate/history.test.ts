import { rm, utimes } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { sqlName } from '../../migrate/lake/table-name.ts'
import { migrateTable } from '../../migrate/migrate.ts'
import { type MoveOptions, moveTable } from '../../migrate/move/move.ts'
import { parseLocation } from '../../migrate/source/location.ts'
import { openSource } from '../../migrate/source/open.ts'
import { loadFinished } from '../../migrate/state/state.ts'
import { versionSnapshots } from '../../migrate/versions/version-snapshots.ts'
import { EVERY_KIND_OF_COMMIT, writeWithDeltaRs } from './delta-rs.ts'
import { CATALOGS, deltaScan, LakeRoom, main, valuesOf } from './lakes.ts'
import { fixture, ScratchTable } from './tables.ts'

let room: LakeRoom
let written: ScratchTable
beforeAll(async () => {
  room = await LakeRoom.open()
  written = await ScratchTable.empty()
  await rm(join(written.path, '_delta_log'), { recursive: true })
  await writeWithDeltaRs(written.path, EVERY_KIND_OF_COMMIT.join('\n'))
})
afterAll(async () => {
  await written[Symbol.asyncDispose]()
  await room[Symbol.asyncDispose]()
})

const ALL = { mode: 'auto', asOf: null, own: false, history: 'all' } as const

type Location = ReturnType<LakeRoom['location']>

async function moveTo(location: Location, uri: string, options: Partial<MoveOptions>) {
  await using lake = await room.openLake(location, dataPathOf(location))
  return await room.move(lake, uri, main('t'), { ...ALL, ...options })
}

function dataPathOf({ kind }: Location): string {
  return join(room.folder, `data-${kind}`)
}

/** Every version that the lake has, by time travel in both, as a session sees it that wasn't there when it was made. */
async function expectHistory(location: Location, uri: string, versions: number): Promise<void> {
  await using lake = await room.openLake(location, dataPathOf(location))
  const { id } = await loadFinished(lake, main('t'))
  const snapshots = await versionSnapshots(lake, id)
  expect(snapshots).toHaveLength(versions)
  for (const { version, snapshot } of snapshots)
    await room.expectSame(lake, main('t'), deltaScan(uri, version), snapshot)
}

test.each([
  ['postgres', 'auto'],
  ['sqlite', 'auto'],
  ['duckdb', 'auto'],
  ['sqlite', 'rewrite'],
] as const)(
  'every kind of commit becomes a snapshot of the same rows, in %s, mode %s',
  async (kind, mode) => {
    const location = room.location(kind)
    await moveTo(location, written.path, { mode })
    await expectHistory(location, written.path, EVERY_KIND_OF_COMMIT.length)
  },
)

test('files that DuckLake owns are never in it twice: one that comes back is written anew', async () => {
  await using table = await ScratchTable.empty()
  await rm(join(table.path, '_delta_log'), { recursive: true })
  await writeWithDeltaRs(table.path, EVERY_KIND_OF_COMMIT.slice(0, 9).join('\n'))
  const location = room.location('sqlite')
  await moveTo(location, table.path, { own: true })
  await using lake = await room.openLake(location, dataPathOf(location))
  await lake.session.run("CALL ducklake_expire_snapshots('lake', older_than => now())")
  await lake.session.run("CALL ducklake_cleanup_old_files('lake', cleanup_all => true)")
  expect(await valuesOf(lake, `SELECT count(*) FROM ${sqlName(main('t'))}`)).toEqual([45n])
})

test.each([
  ['dat/column_mapping/delta', 4],
  ['dat/deletion_vectors/delta', 3],
  ['dat/timestamp_ntz/delta', 3],
  ['dat/with_schema_change/delta', 2],
  ['delta-kernel-defaults/basic-dv-with-checkpoint', 47],
  ['delta-rs/cdc_ict_table', 4],
  ['delta-rs/table_with_partitioning_mapping', 5],
])('the history of %s, written by another engine, comes over', async (name, versions) => {
  const location = room.location('sqlite')
  await moveTo(location, fixture(name), {})
  await expectHistory(location, fixture(name), versions)
})

test('a history begins behind what VACUUM has taken, and says so', async () => {
  await using table = await ScratchTable.empty()
  await rm(join(table.path, '_delta_log'), { recursive: true })
  const vacuum = 'table().vacuum(retention_hours=0, enforce_retention_duration=False, dry_run=False)'
  const commits = [...EVERY_KIND_OF_COMMIT.slice(0, 3), vacuum, 'write(rows(80, 90))']
  await writeWithDeltaRs(table.path, commits.join('\n'))
  const location = room.location('sqlite')
  const moved = await moveTo(location, table.path, {})
  expect(moved?.shortened).toMatch(/version 1 can't be had: .* is missing/)
  expect(moved?.state.base).toBe(2)
  await expectHistory(location, table.path, (moved?.state.version ?? 0) - 1)
})

test('snapshots carry over what their commits did', async () => {
  const location = room.location('sqlite')
  await moveTo(location, written.path, { history: 3 })
  await using lake = await room.openLake(location, dataPathOf(location))
  const messages = await valuesOf(lake, 'SELECT commit_message FROM lake.snapshots() ORDER BY snapshot_id')
  expect(messages.filter((message) => /^[A-Z]+$/.test(String(message)))).toEqual([
    'RESTORE',
    'WRITE',
    'WRITE',
  ])
})

describe('times', () => {
  /** Migrates a table whose commits were an hour apart. */
  async function migrateHourly(location: Location) {
    await using lake = await room.openLake(location, dataPathOf(location))
    const access = { ...room.access(), python: inject('services').sidecar?.python ?? '' }
    await using source = await openSource(parseLocation(hourly.path), access, lake.session)
    const options = { ...ALL, verify: true, rowByRow: false, keepUnproved: false }
    return await migrateTable(access, source, lake, main('t'), options, () => undefined)
  }

  let hourly: ScratchTable
  beforeAll(async () => {
    hourly = await ScratchTable.copyOf('dat/deletion_vectors/delta')
    for (const version of [0, 1, 2]) {
      const time = new Date(Date.UTC(2024, 0, 1, version))
      await utimes(hourly.commitFile(version), time, time)
    }
  })
  afterAll(() => hourly[Symbol.asyncDispose]())

  test.each(CATALOGS)('are those of the versions, in a new catalog in %s', async (kind) => {
    const location = room.location(kind)
    expect(await migrateHourly(location)).toMatchObject({
      outcome: 'published',
      historyNotes: [],
      proof: { passed: true, history: [0, 1, 2].map((version) => ({ version, outcome: 'same' })) },
    })
    await using lake = await room.openLake(location, dataPathOf(location))
    const counts: unknown[] = []
    for (const hour of [0, 1, 2]) {
      const query = `SELECT count(*) FROM ${sqlName(main('t'))} AT (TIMESTAMP => TIMESTAMPTZ '2024-01-01 0${hour}:30:00+00')`
      counts.push(...(await valuesOf(lake, query)))
    }
    expect(counts).toEqual([0n, 5n, 1n])
  })

  test('are those of the migration where the catalog has other snapshots, and that is said', async () => {
    const location = room.location('sqlite')
    {
      await using lake = await room.openLake(location, dataPathOf(location))
      await lake.session.run('CREATE TABLE lake.other (id INTEGER)')
    }
    expect(await migrateHourly(location)).toMatchObject({
      historyNotes: [expect.stringContaining('the catalog has snapshots of other tables')],
    })
    await using lake = await room.openLake(location, dataPathOf(location))
    const early = `SELECT count(*) FROM lake.snapshots() WHERE snapshot_time < TIMESTAMPTZ '2025-01-01 00:00:00+00'`
    expect(await valuesOf(lake, early)).toEqual([0n])
  })
})

test('a history that stopped between two versions goes on, and is whole', async () => {
  const location = room.location('sqlite')
  {
    await using lake = await room.openLake(location, dataPathOf(location))
    await using source = await openSource(parseLocation(written.path), room.access())
    const stopping = moveTable(source, lake, main('t'), ALL, ({ version }) => {
      if (version?.at === 4) throw new Error('stopped')
    })
    await expect(stopping).rejects.toThrow('stopped')
  }
  await moveTo(location, written.path, {})
  await expectHistory(location, written.path, EVERY_KIND_OF_COMMIT.length)
})
