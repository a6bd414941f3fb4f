import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { MoveOptions } from '../../migrate/move/move.ts'
import { loadFinished } from '../../migrate/state/state.ts'
import { versionSnapshots } from '../../migrate/versions/version-snapshots.ts'
import { EVERY_KIND_OF_COMMIT, writeWithDeltaRs } from './delta-rs.ts'
import { type Job, type Moment, runJob, runJobApart } from './dying-migration.ts'
import { type CatalogKind, deltaScan, LakeRoom, main } from './lakes.ts'
import { ScratchTable } from './tables.ts'

/** How often each kind of migration is killed, and the seed that says when: more of it for a longer look. */
const KILLS = Number(process.env.MIGRATION_KILLS ?? 1)
const SEED = Number(process.env.MIGRATION_KILLS_SEED ?? 20_260_101)

let room: LakeRoom
let table: ScratchTable
beforeAll(async () => {
  room = await LakeRoom.open()
  table = await ScratchTable.empty()
  await rm(join(table.path, '_delta_log'), { recursive: true })
  await writeWithDeltaRs(table.path, EVERY_KIND_OF_COMMIT.join('\n'))
})
afterAll(async () => {
  await table[Symbol.asyncDispose]()
  await room[Symbol.asyncDispose]()
})

interface Case {
  readonly kind: CatalogKind
  readonly move: MoveOptions
  readonly follows: boolean
  /** That the lake table has in the end. */
  readonly versions: number
}

const MOVE: MoveOptions = { mode: 'auto', asOf: 8, own: false, history: null }
const CASES: readonly (readonly [string, Case])[] = [
  ['that registers', { kind: 'sqlite', move: MOVE, follows: false, versions: 1 }],
  ['that rewrites', { kind: 'duckdb', move: { ...MOVE, mode: 'rewrite' }, follows: false, versions: 1 }],
  ['with a history', { kind: 'postgres', move: { ...MOVE, history: 'all' }, follows: false, versions: 9 }],
  [
    'of copies with a history',
    { kind: 'duckdb', move: { ...MOVE, history: 3 }, follows: false, versions: 4 },
  ],
  ['that follows', { kind: 'sqlite', move: { ...MOVE, asOf: 3 }, follows: true, versions: 8 }],
]

/** A catalog of its own for each kill; a follower finds the table moved. */
async function jobOf({ kind, move, follows }: Case): Promise<Job> {
  const location = room.location(kind)
  const dataPath = join(room.folder, 'data', kind === 'postgres' ? location.kind : crypto.randomUUID())
  const job = { access: room.access(), location, dataPath, uri: table.path, target: main('t'), move }
  if (!follows) return job
  await runJob(job, null)
  return { ...job, move: null }
}

async function expectExact({ location, dataPath, uri, target }: Job, versions: number): Promise<void> {
  await using lake = await room.openLake(location, dataPath)
  const { id } = await loadFinished(lake, target)
  const snapshots = await versionSnapshots(lake, id)
  expect(snapshots).toHaveLength(versions)
  for (const past of snapshots)
    await room.expectSame(lake, target, deltaScan(uri, past.version), past.snapshot)
}

/** Half of the kills come before a statement, half while it runs. */
function momentsOf(statements: number): readonly Moment[] {
  const moment = fc.record({
    statement: fc.integer({ min: 1, max: statements }),
    afterMs: fc.option(fc.integer({ min: 0, max: 30 }), { freq: 1 }),
  })
  return fc.sample(moment, { seed: SEED, numRuns: KILLS })
}

describe('a migration that was killed and is run again ends exact', () => {
  test.each(CASES)(
    '%s',
    async (_, example) => {
      const undisturbed = await runJob(await jobOf(example), null)
      for (const moment of momentsOf(undisturbed)) {
        const job = await jobOf(example)
        const killed = await runJobApart(job, moment)
        expect(killed, JSON.stringify(moment)).toBeNull()
        await runJob(job, null)
        await expectExact(job, example.versions)
      }
    },
    120_000 * KILLS,
  )
})
