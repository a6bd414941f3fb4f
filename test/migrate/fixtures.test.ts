import { existsSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Lake } from '../../migrate/lake/lake.ts'
import { literal } from '../../platform/duckdb/sql.ts'
import { deltaScan, LakeRoom, main } from './lakes.ts'
import { fixture, fixtureNames } from './tables.ts'

/** Every table of the fixtures ends exact, or refused for the right reason: none is silently wrong. */

const REFUSED: ReadonlyMap<string, RegExp> = new Map([
  ['delta-kernel-defaults/catalog-owned-preview', /is managed by a catalog/],
  ['delta-kernel-defaults/spark-shredded-variant-preview-delta', /variant within another type/],
  ['delta-rs/with_checkpoint_no_last_checkpoint', /part-00000-70b1dcdf.* is missing/],
])
const NOT_FOR_THE_KERNEL = 'dat/iceberg_compat_v1/delta'

let room: LakeRoom
let lake: Lake
beforeAll(async () => {
  room = await LakeRoom.open()
  lake = await room.openLake(room.location('sqlite'))
})
afterAll(async () => {
  await lake[Symbol.asyncDispose]()
  await room[Symbol.asyncDispose]()
})

const names = await fixtureNames()

describe.each(['auto', 'rewrite'] as const)('in mode %s', (mode) => {
  test.each(names)('%s is moved exactly, or refused with the reason', async (name) => {
    const target = main(`${mode} ${name}`)
    const moving = room.move(lake, fixture(name), target, { mode })
    const reason = REFUSED.get(name)
    if (reason !== undefined) {
      await expect(moving).rejects.toThrow(reason)
      return
    }
    await moving
    const expected = fixture(name.replace(/delta$/, 'expected/latest/table_content'))
    if (name !== NOT_FOR_THE_KERNEL) await room.expectSame(lake, target, deltaScan(fixture(name)))
    if (name.endsWith('/delta') && existsSync(expected)) {
      await room.expectSame(
        lake,
        target,
        `read_parquet(${literal(`${expected}/*.parquet`)}, hive_partitioning = false)`,
      )
    }
  })
})
