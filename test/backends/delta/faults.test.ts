import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, inject, test, vi } from 'vitest'
import { expectFailure } from '../contract/errors.ts'
import { useLake } from '../contract/lake.ts'
import { optional, required } from '../contract/rows.ts'

const COLUMNS = [required('id', 'int64'), required('part', 'string'), optional('note', 'string')]
const rows = (note: string) => [0, 1, 2, 3, 4, 5].map((id) => ({ id, part: `p${id % 3}`, note }))

describe.skipIf(inject('services').sidecar === null)('faults that are armed in the sidecar', () => {
  const lake = useLake('delta/merge-loop', 's3')
  const create = async () => {
    const table = await lake().createTable({ columns: COLUMNS, primaryKey: ['id'], partitionBy: 'part' })
    await table.append(rows('stored'))
    return table
  }
  const connectWith = async (fault: string) => {
    vi.stubEnv('LAKEDUEL_FAULT', fault)
    const backend = await lake().connect()
    vi.unstubAllEnvs()
    return backend
  }

  test('a kill in the middle of the partition loop leaves what was committed, and the batch is applied again', async () => {
    const table = await create()
    const tag = table.nextTag()
    const batch = await table.stage(rows('changed'))
    await table.reopen(await connectWith('mid-partition-loop:kill@2'))
    await expectFailure(table.handle.apply(batch, 'upsert', tag), 'SIDECAR_DIED')
    const notes = (await table.stored()).map((row) => row['note'])
    expect(notes.filter((note) => note === 'changed')).toHaveLength(4)

    await table.reopen()
    expect(await table.handle.appliedThrough(table.runId)).toBe(0)
    expect(await table.handle.apply(batch, 'upsert', tag)).toMatchObject({
      alreadyApplied: false,
      commits: 3,
    })
    table.model.apply('upsert', rows('changed'))
    await table.expectStored()
  })

  test('a writer that is stalled before it applies conflicts with the one that took over', async () => {
    const table = await create()
    const tag = table.nextTag()
    const batch = await table.stage(rows('changed'))
    const zombie = await (await connectWith('before-apply:stall=3000')).open(table.spec)
    const late = zombie.apply(batch, 'append', tag)
    // By now it has read the log, and stalls.
    await sleep(500)
    await table.handle.apply(batch, 'append', tag)
    await expectFailure(late, 'COMMIT_CONFLICT')
    expect(await zombie.apply(batch, 'append', tag)).toMatchObject({ alreadyApplied: true })
    await zombie.close()
    table.model.apply('append', rows('changed'))
    await table.expectStored()
  })

  test('an error is armed once, and points of other processes pass', async () => {
    const table = await create()
    await table.reopen(await connectWith('before-apply:error'))
    const error = await expectFailure(table.upsert(rows('refused')), 'ENGINE_FAILED')
    expect(error.message).toMatch(/before-apply/)
    await table.upsert(rows('changed'))
    await table.reopen(await connectWith('mid-upload:kill'))
    await table.upsert(rows('again'))
    await table.expectStored()
  })
})
