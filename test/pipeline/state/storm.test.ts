import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import type { State } from '../../../pipeline/state/store.ts'
import { batchOf, leaseOf, openTestState, specFor } from './fixture.ts'

const TABLES = ['invoices', 'charges', 'refunds']
const BATCHES = 40
const rowsOf = (index: number) => (index % 7) + 1
const ALL_ROWS = Array.from({ length: BATCHES }, (_, index) => rowsOf(index)).reduce(
  (sum, rows) => sum + rows,
)

async function extract(state: State, table: string): Promise<string> {
  const { run } = await state.runs.begin(specFor(table), { resume: true })
  const lease = await leaseOf(state, run.runId)
  await using kept = state.leases.keepAlive(lease)
  for (let index = 0; index < BATCHES; index += 1) {
    kept.signal.throwIfAborted()
    const rows = Buffer.alloc(20_000, index)
    await state.extraction.spoolPage(lease, { pageNo: index + 1, rows, cursor: index, mark: null })
    const batch = batchOf(rowsOf(index), { cursor: index, spooledThroughPage: index + 1 })
    expect(await state.extraction.stageBatch(lease, batch)).toBe(index)
  }
  await state.extraction.finish(lease)
  return run.runId
}

async function load(state: State, signal: AbortSignal): Promise<void> {
  for (;;) {
    const claimed = await state.load.next(signal)
    await using kept = state.load.keepAlive(claimed.claim)
    kept.signal.throwIfAborted()
    if (claimed.kind === 'finish') await state.load.finishRun(claimed.claim)
    else await state.load.commitBatch(claimed.claim, { rowsCommitted: claimed.record.rows, deadRows: [] })
  }
}

test('connections that are ended all the time lose no batch and double none', async () => {
  const fixture = await openTestState({ leaseTtlMs: 30_000, queue: { claimTtlMs: 2_000, maxLosses: 1_000 } })
  const { state, open, sql, schema } = fixture
  const loaders = [await open(), await open()]
  const stop = new AbortController()
  const loading = loaders.map((loader) =>
    load(loader, stop.signal).catch((error: unknown) => {
      if (!stop.signal.aborted) throw error
    }),
  )
  let ended = 0
  const storm = (async () => {
    while (!stop.signal.aborted) {
      await sleep(20 + Math.random() * 100)
      const killed = await sql(
        `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE application_name = 'lakeduel ' || $1 AND random() < 0.7`,
        [schema],
      )
      ended += killed.length
    }
  })()
  const extracting = await Promise.all(TABLES.map(async (table) => extract(await open(), table)))
  const runs = await Promise.all(extracting.map((runId) => state.runs.wait(runId)))
  stop.abort()
  await Promise.all([storm, ...loading])
  for (const { status, counts } of runs) {
    expect({ status, counts }).toMatchObject({
      status: 'done',
      counts: {
        pages: BATCHES,
        batchesStaged: BATCHES,
        rowsStaged: ALL_ROWS,
        batchesCommitted: BATCHES,
        rowsCommitted: ALL_ROWS,
        bytesCommitted: ALL_ROWS * 10,
      },
    })
  }
  expect(ended).toBeGreaterThan(50)
  expect(
    await sql(`SELECT count(*)::int AS left FROM job WHERE state <> 'completed' AND name = 'lakeduel-load'`),
  ).toEqual([{ left: 0 }])
  expect(await sql('SELECT count(*)::int AS left FROM spool')).toEqual([{ left: 0 }])
})
