import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { followTable, type Lag } from '../../migrate/follow/follow.ts'
import type { Lake } from '../../migrate/lake/lake.ts'
import { sqlName } from '../../migrate/lake/table-name.ts'
import { rollback } from '../../migrate/rollback/rollback.ts'
import { parseLocation } from '../../migrate/source/location.ts'
import { openSource } from '../../migrate/source/open.ts'
import { loadFinished } from '../../migrate/state/state.ts'
import { versionSnapshots } from '../../migrate/versions/version-snapshots.ts'
import { lakeduel } from '../cli/lakeduel.ts'
import { EVERY_KIND_OF_COMMIT, writeWithDeltaRs } from './delta-rs.ts'
import { CATALOGS, deltaScan, LakeRoom, main } from './lakes.ts'
import { fixture, metadata, PROTOCOL, ScratchTable } from './tables.ts'

let room: LakeRoom
beforeAll(async () => {
  room = await LakeRoom.open()
})
afterAll(() => room[Symbol.asyncDispose]())

async function follow(lake: Lake, uri: string) {
  await using source = await openSource(parseLocation(uri), room.access(), lake.session)
  const lags: Lag[] = []
  const options = { everyMs: null, signal: new AbortController().signal }
  return { lags, ...(await followTable(source, lake, main('t'), options, (lag) => lags.push(lag))) }
}

/** A table with a version for each of the commits. */
async function written(commits: readonly string[]): Promise<ScratchTable> {
  const table = await ScratchTable.empty()
  await rm(join(table.path, '_delta_log'), { recursive: true })
  await writeWithDeltaRs(table.path, commits.join('\n'))
  return table
}

describe('commits of every kind are applied', () => {
  let table: ScratchTable
  const last = EVERY_KIND_OF_COMMIT.length - 1
  beforeAll(async () => {
    table = await written(EVERY_KIND_OF_COMMIT)
  })
  afterAll(() => table[Symbol.asyncDispose]())

  test.each(CATALOGS)('each as a snapshot with the same rows, in %s', async (kind) => {
    await using lake = await room.openLake(room.location(kind), join(room.folder, `data-${kind}`))
    await room.move(lake, table.path, main('t'), { asOf: 0 })
    expect(await follow(lake, table.path)).toMatchObject({ version: last, applied: last, lagMs: 0 })
    const { id } = await loadFinished(lake, main('t'))
    const snapshots = await versionSnapshots(lake, id)
    expect(snapshots).toHaveLength(last + 1)
    for (const { version, snapshot } of snapshots)
      await room.expectSame(lake, main('t'), deltaScan(table.path, version), snapshot)
  })

  test('the lag falls with each, and following again changes nothing', async () => {
    await using lake = await room.openLake(room.location('sqlite'), join(room.folder, 'data-lag'))
    await room.move(lake, table.path, main('t'), { asOf: last - 2, mode: 'rewrite' })
    const { lags } = await follow(lake, table.path)
    expect(lags.map(({ version, latestVersion }) => latestVersion - version)).toEqual([2, 1, 0])
    expect(await follow(lake, table.path)).toMatchObject({ applied: 0, lags: [{ lagMs: 0 }] })
    await rollback(lake, main('t'), false)
  })
})

test('deletion vectors that grow are applied by position, behind a log that was cleaned up, too', async () => {
  await using table = await ScratchTable.copyOf('delta-kernel-defaults/basic-dv-with-checkpoint')
  await using lake = await room.openLake(room.location('sqlite'), join(room.folder, 'data-vectors'))
  await room.move(lake, table.path, main('t'), { asOf: 2 })
  for (let version = 3; version <= 9; version += 1) await rm(table.commitFile(version))
  expect(await follow(lake, table.path)).toMatchObject({ version: 46 })
  await room.expectSame(lake, main('t'), deltaScan(fixture('delta-kernel-defaults/basic-dv-with-checkpoint')))
})

describe('a follower refuses', () => {
  test.each([
    ['a lake table that others wrote to', `INSERT INTO @ SELECT * FROM @ LIMIT 1`],
    [
      'a lake table that was compacted',
      `CALL ducklake_rewrite_data_files('lake', 't', delete_threshold => 0)`,
    ],
  ])('%s', async (_, statement) => {
    await using lake = await room.openLake(room.location('sqlite'), join(room.folder, 'data-others'))
    await room.move(lake, fixture('delta-kernel-defaults/basic-dv-with-checkpoint'), main('t'), { asOf: 20 })
    await lake.session.run(statement.replaceAll('@', sqlName(main('t'))))
    await expect(
      follow(lake, fixture('delta-kernel-defaults/basic-dv-with-checkpoint')),
    ).rejects.toMatchObject({
      code: 'MIGRATION_REFUSED',
    })
  })

  test('a table that was made anew at the place', async () => {
    await using table = await ScratchTable.copyOf('dat/basic_append/delta')
    await using lake = await room.openLake(room.location('sqlite'), join(room.folder, 'data-anew'))
    await room.move(lake, table.path, main('t'))
    await table.commit(2, [PROTOCOL, metadata()])
    await expect(follow(lake, table.path)).rejects.toMatchObject({ code: 'MIGRATION_DIFFERS' })
    await rm(table.commitFile(2))
    await rm(table.commitFile(1))
    await expect(follow(lake, table.path)).rejects.toThrow('ends with version 0')
  })
})

test('the command follows a writer until Ctrl-C, and the cutover is ready when nothing is behind', async () => {
  await using table = await written(EVERY_KIND_OF_COMMIT.slice(0, 1))
  const lakeArgs = ['--to', `ducklake:sqlite:${join(room.folder, 'live.sqlite')}`, '--table', 't']
  const dataPath = ['--data-path', join(room.folder, 'live')]
  await lakeduel(['migrate', 'run', table.path, ...lakeArgs, ...dataPath, '--no-verify'])
  const following = lakeduel(['migrate', 'follow', ...lakeArgs, '--every', '100ms', '--json'])
  const caughtUp = new Promise<void>((resolve) => {
    following.stderr?.on('data', (text) => String(text).includes('version 4 of 4, nothing') && resolve())
  })
  await writeWithDeltaRs(table.path, EVERY_KIND_OF_COMMIT.slice(1, 5).join('\n'))
  await caughtUp
  following.kill('SIGINT')
  const { exitCode, stdout } = await following
  expect([exitCode, JSON.parse(stdout)]).toMatchObject([0, { version: 4, applied: 4, lagMs: 0 }])
  const ready = await lakeduel(['migrate', 'cutover', ...lakeArgs])
  expect([ready.exitCode, ready.stdout]).toEqual([
    0,
    expect.stringMatching(/Proved: [^]*equal at version 4, the latest. To switch:\n {2}1. Stop the writers/),
  ])
  await writeWithDeltaRs(table.path, 'write(rows(80, 90))')
  const behind = await lakeduel(['migrate', 'cutover', ...lakeArgs, '--json'])
  expect([behind.exitCode, JSON.parse(behind.stdout)]).toMatchObject([
    1,
    { ready: false, proof: null, problem: expect.stringContaining('the Delta table version 5'), steps: [] },
  ])
})
