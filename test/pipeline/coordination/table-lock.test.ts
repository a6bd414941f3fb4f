import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import fc from 'fast-check'
import { expect, inject, onTestFinished, test } from 'vitest'
import { Session } from '../../../pipeline/coordination/session.ts'
import type { WantedLock } from '../../../pipeline/coordination/table-lock.ts'
import { acquireLocks, lockKey, whileHolding } from '../../../pipeline/coordination/table-lock.ts'
import { postgresClient } from '../../../platform/services/postgres/client.ts'

const STALE_MS = 600
const table = () => `table ${crypto.randomUUID()}`
const alone = (...names: readonly string[]): WantedLock => ({ key: lockKey(...names), shared: false })
const together = (...names: readonly string[]): WantedLock => ({ key: lockKey(...names), shared: true })

async function openSession(): Promise<Session> {
  const session = await Session.open(inject('services').postgres)
  onTestFinished(() => session[Symbol.asyncDispose]())
  return session
}

function acquire(session: Session, ...wanted: readonly WantedLock[]): Promise<void> {
  return acquireLocks(session, wanted, { postgres: inject('services').postgres, staleMs: STALE_MS })
}

async function locked(
  session: Session,
  wanted: readonly WantedLock[],
  work: () => Promise<void>,
): Promise<void> {
  await acquire(session, ...wanted)
  await whileHolding(session, STALE_MS, work)
}

/** Whether it is granted before something that surely takes longer. */
async function isGranted(waiting: Promise<void>): Promise<boolean> {
  return Promise.race([waiting.then(() => true), sleep(150).then(() => false)])
}

test('a lock is held by one session at a time, in the order in which they asked', async () => {
  const name = table()
  const sessions = [await openSession(), await openSession(), await openSession(), await openSession()]
  const order: number[] = []
  let inside = 0
  const works = sessions.map(async (session, index) => {
    await sleep(40 * index)
    await locked(session, [alone(name)], async () => {
      inside += 1
      expect(inside).toBe(1)
      order.push(index)
      await sleep(100)
      inside -= 1
    })
  })
  await Promise.all(works)
  expect(order).toEqual([0, 1, 2, 3])
})

test('partitions of a table are held beside each other, and none while the whole table is', async () => {
  const name = table()
  const [left, right, whole] = [await openSession(), await openSession(), await openSession()]
  await acquire(left, together(name), alone(name, 'p0'))
  expect(await isGranted(acquire(right, together(name), alone(name, 'p1')))).toBe(true)
  const waiting = acquire(whole, alone(name))
  expect(await isGranted(waiting)).toBe(false)
  await left[Symbol.asyncDispose]()
  await right[Symbol.asyncDispose]()
  await waiting
})

test('a partition is held by one session at a time', async () => {
  const name = table()
  const [left, right] = [await openSession(), await openSession()]
  await acquire(left, together(name), alone(name, 'p0'))
  const waiting = acquire(right, together(name), alone(name, 'p0'))
  expect(await isGranted(waiting)).toBe(false)
  await left[Symbol.asyncDispose]()
  await waiting
})

test('sessions that want any locks in any order all get theirs', async () => {
  const sessions = [await openSession(), await openSession(), await openSession()]
  const wantedArbitrary = fc.uniqueArray(fc.constantFrom('a', 'b', 'c', 'd'), { minLength: 1 })
  await fc.assert(
    fc.asyncProperty(fc.tuple(wantedArbitrary, wantedArbitrary, wantedArbitrary), async (wanted) => {
      const name = table()
      const works = wanted.map((partitions, index) => {
        const session = sessions[index]
        if (session === undefined) throw new Error('there are as many sessions as wishes')
        return locked(
          session,
          partitions.map((partition) => alone(name, partition)),
          () => sleep(2),
        )
      })
      await Promise.all(works)
    }),
    { numRuns: 30 },
  )
})

test('a holder without a sign of life loses its connection to those who wait, and one with signs of it does not', async () => {
  const name = table()
  // As another process, since all connections of the holder's process are ended.
  const stopped = postgresClient(inject('services').postgres)
  onTestFinished(() => stopped.end())
  const ended = once(stopped, 'error')
  // The end of the connection is an error of its own.
  stopped.on('error', () => undefined)
  await stopped.connect()
  await stopped.query(`SET application_name = '${name.slice(0, 40)}'`)
  await stopped.query('SELECT pg_advisory_lock($1)', [lockKey(name)])
  const waiter = await openSession()
  await acquire(waiter, alone(name))
  expect(String(await ended)).toMatch(/terminating connection/)

  const next = await openSession()
  const waiting = whileHolding(waiter, STALE_MS, async () => {
    const granted = acquire(next, alone(name))
    await sleep(4 * STALE_MS)
    expect(waiter.lost.aborted).toBe(false)
    return { granted }
  })
  await (await waiting).granted
})
