import { utimes } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { readHistory } from '../../../migrate/log/history.ts'
import { DeltaLog } from '../../../migrate/log/log.ts'
import { add, fixture, metadata, openLocal, PROTOCOL, ScratchTable } from '../tables.ts'

async function historyOf(path: string, limit = 100) {
  await using source = await openLocal(path)
  return await readHistory(await DeltaLog.open(source), limit)
}

test('times come from the commits where the table keeps them there', async () => {
  const entries = await historyOf(fixture('delta-rs/cdc_ict_table'))
  expect(entries.map(({ version }) => version)).toEqual([3, 2, 1, 0])
  for (const { timestampFrom, timestampMs, info } of entries) {
    expect(timestampFrom).toBe('commit')
    expect(timestampMs).toBe(info?.inCommitTimestamp)
  }
})

test('times of files that were copied out of order rise by a millisecond, as Delta counts them', async () => {
  await using table = await ScratchTable.empty()
  await table.commit(0, [PROTOCOL, metadata(), add('a')])
  await table.commit(1, [add('b')])
  await table.commit(2, [add('c')])
  for (const [version, seconds] of [
    [0, 1_700_000_000],
    [1, 1_600_000_000],
    [2, 1_700_000_100],
  ] as const) {
    await utimes(table.commitFile(version), seconds, seconds)
  }
  const entries = await historyOf(table.path)
  expect(entries.map(({ timestampMs }) => timestampMs)).toEqual([
    1_700_000_100_000, 1_700_000_000_001, 1_700_000_000_000,
  ])
})

test('only as many commits are read as are asked for', async () => {
  const entries = await historyOf(fixture('delta-kernel-defaults/basic-dv-with-checkpoint'), 2)
  expect(entries.map(({ version, filesAdded }) => [version, filesAdded])).toEqual([
    [46, 1],
    [45, 1],
  ])
})
