import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, inject, test } from 'vitest'
import { openCoordinator } from '../../../pipeline/coordination/open.ts'
import { lockKey } from '../../../pipeline/coordination/table-lock.ts'
import { withPostgres } from '../../../platform/services/postgres/client.ts'
import { useLake } from '../../backends/contract/lake.ts'
import { sceneOf } from './scene.ts'
import type { WriterRequest } from './writers.ts'
import { isDone, isReady, runWriters, startWriter } from './writers.ts'

const STALE_MS = 1_500
const scenario = { writers: 3, batches: 3, mode: 'upsert', staleMs: STALE_MS } as const

describe('ducklake/merge', () => {
  const lake = useLake('ducklake/merge', 's3')

  test.each(['group-taken', 'group-committed'])(
    'leaders that die at %s are followed by others, and their successors find what is committed',
    async (point) => {
      const { table, requests } = await sceneOf(lake(), { ...scenario, coordination: 'group' })
      const doomed = requests.map((request) => startWriter(request, { fault: `${point}:kill` }))
      await Promise.all(doomed.map((writer) => writer.until(isReady)))
      // None can lead before all of them wait, and each dies when it leads.
      await whileLocked(requests[0]?.uri, async () => {
        for (const writer of doomed) writer.begin()
        await areWaiting(requests.length, requests[0]?.uri)
      })
      for (const writer of doomed) expect(await writer.ended).toBe('SIGKILL')
      const attempts = doomed.flatMap(({ events }) => events.filter(({ event }) => event === 'attempt'))
      if (point === 'group-committed') {
        expect(attempts).toContainEqual({ event: 'attempt', batches: requests.length, failed: false })
      }
      await runWriters(requests.map((request) => startWriter(request)))
      await table.expectStored()
    },
  )

  test.each(['group', 'lock'] as const)(
    'a writer that is stopped while it holds the lock (%s) is passed by, and doubles nothing when it goes on',
    async (coordination) => {
      const { table, requests } = await sceneOf(lake(), { ...scenario, coordination })
      const [zombie, ...others] = requests.map((request) => startWriter(request))
      if (zombie === undefined) return
      await Promise.all([zombie, ...others].map((writer) => writer.until(isReady)))
      zombie.begin()
      await isHeld(requests[0]?.uri)
      zombie.signal('SIGSTOP')
      for (const other of others) other.begin()
      await Promise.all(others.map((writer) => writer.until(isDone)))
      zombie.signal('SIGCONT')
      await zombie.until(isDone)
      await table.expectStored()
    },
  )

  test('writers that are killed at any moment, and started again, lose and double nothing', async () => {
    const { table, requests } = await sceneOf(lake(), { ...scenario, coordination: 'group' })
    const lives = requests.map(async (request, index) => {
      const writer = startWriter(request)
      await writer.until(isReady)
      writer.begin()
      await sleep(150 + 130 * index)
      writer.signal('SIGKILL')
      await writer.ended
      await runWriters([startWriter(request)])
    })
    await Promise.all(lives)
    await table.expectStored()
  })

  test('connections that are ended all the time lose and double nothing', async () => {
    const { table, requests } = await sceneOf(lake(), { ...scenario, batches: 5, coordination: 'group' })
    const pids = new Set<number>()
    const writing = Promise.all(requests.map((request) => surviving(request, (pid) => pids.add(pid))))
    const over = new AbortController()
    const storm = (async () => {
      let ended = 0
      while (!over.signal.aborted) {
        await sleep(150)
        ended += await endConnections([...pids])
      }
      return ended
    })()
    await writing.finally(() => over.abort())
    expect(await storm).toBeGreaterThan(3)
    await table.expectStored()
  })
})

/** DuckDB 1.5.5 ends its process when its connection to the catalog is cut at some moments, and then another one goes on. */
async function surviving(request: WriterRequest, onReady: (pid: number) => void): Promise<void> {
  for (;;) {
    const writer = startWriter(request)
    try {
      await writer.until(isReady)
      onReady(writer.pid)
      writer.begin()
      await writer.until(isDone)
      return
    } catch (error) {
      if ((await writer.ended) !== 'SIGABRT') throw error
    }
  }
}

/** Does something while this process has the table's lock. */
async function whileLocked(uri: string | undefined, action: () => Promise<void>): Promise<void> {
  await using coordinator = openCoordinator('lock', { postgres: inject('services').postgres })
  await coordinator.alone(uri ?? '', action)
}

async function areWaiting(writers: number, uri: string | undefined): Promise<void> {
  await until(`SELECT WHERE to_regclass('lakeduel_coordination.requests') IS NOT NULL`, [])
  await until(
    'SELECT FROM lakeduel_coordination.requests WHERE table_key = $1 AND outcome IS NULL HAVING count(*) = $2',
    [lockKey(uri ?? ''), writers],
  )
}

/** Waits until somebody holds the table's lock. */
async function isHeld(uri: string | undefined): Promise<void> {
  await until(
    `SELECT FROM pg_locks WHERE locktype = 'advisory' AND granted AND (classid::bigint << 32) | objid::bigint = $1`,
    [lockKey(uri ?? '')],
  )
}

/** Asks until there is a row. */
async function until(query: string, values: readonly unknown[]): Promise<void> {
  await withPostgres(inject('services').postgres, async (client) => {
    while ((await client.query(query, [...values])).rowCount === 0) await sleep(2)
  })
}

/** Ends about a third of the processes' connections, those of their engines too, and returns how many it ended. */
async function endConnections(pids: readonly number[]): Promise<number> {
  return withPostgres(inject('services').postgres, async (client) => {
    const { rowCount } = await client.query(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
       WHERE split_part(application_name, ' ', 2) = ANY($1) AND application_name LIKE 'lakeduel %' AND random() < 0.3`,
      [pids.map(String)],
    )
    return rowCount ?? 0
  })
}
