import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { withLock } from '../../../platform/setup/lock.ts'

let folder = ''
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lakeduel-lock-'))
})
afterEach(() => rm(folder, { recursive: true }))

const options = { signal: undefined, onWait: () => undefined }

it('lets one in at a time, also after one has failed, and leaves nothing behind', async () => {
  const lock = join(folder, 'a.lock')
  let inside = 0
  const enter = async (fails: boolean): Promise<number> => {
    inside += 1
    const seen = inside
    await sleep(20)
    inside -= 1
    if (fails) throw new Error('failed inside')
    return seen
  }
  const results = await Promise.allSettled(
    [true, false, false].map((fails) => withLock(lock, options, () => enter(fails))),
  )
  expect(
    results.map((result) => String(result.status === 'fulfilled' ? result.value : 'failed')).sort(),
  ).toEqual(['1', '1', 'failed'])
  expect(await readdir(folder)).toEqual([])
})

it('takes over the lock of a process whose number now belongs to another one', async () => {
  const lock = join(folder, 'a.lock')
  await mkdir(lock)
  await writeFile(
    join(lock, 'owner.json'),
    JSON.stringify({ pid: process.pid, startedAt: 'before the last boot' }),
  )
  expect(await withLock(lock, options, () => Promise.resolve('entered'))).toBe('entered')
})

it('stops waiting when it is interrupted', async () => {
  const lock = join(folder, 'a.lock')
  const aborting = new AbortController()
  const waiting = { signal: aborting.signal, onWait: () => aborting.abort(new Error('interrupted')) }
  await withLock(lock, options, async () => {
    await expect(withLock(lock, waiting, () => Promise.resolve())).rejects.toThrow('interrupted')
  })
})
