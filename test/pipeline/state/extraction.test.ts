import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import type { PartitionSpec } from '../../../pipeline/state/model.ts'
import type { SpooledPage } from '../../../pipeline/state/spool.ts'
import { startChild } from './child.ts'
import { batchOf, beginRun, leaseOf, openTestState, specFor } from './fixture.ts'

const page = (pageNo: number, rows = `rows ${pageNo}`): SpooledPage => ({
  pageNo,
  rows: Buffer.from(rows),
  cursor: { after: `key ${pageNo}` },
  mark: pageNo * 10,
})

async function collect(pages: AsyncIterable<SpooledPage>): Promise<readonly SpooledPage[]> {
  const all: SpooledPage[] = []
  for await (const one of pages) all.push(one)
  return all
}

describe('the spool', () => {
  test('gives the next extractor every page that is in no batch, in order', async () => {
    const { state } = await openTestState()
    const { run, lease } = await beginRun(state, specFor('invoices'))
    for (let pageNo = 1; pageNo <= 10; pageNo += 1) await state.extraction.spoolPage(lease, page(pageNo))
    await state.extraction.stageBatch(lease, batchOf(4, { spooledThroughPage: 4 }))
    await state.leases.release(lease)
    const next = await leaseOf(state, run.runId)
    expect(await collect(state.extraction.loadSpool(next))).toEqual([5, 6, 7, 8, 9, 10].map((no) => page(no)))
  })

  test('holds a page once, however often it is written', async () => {
    const { state } = await openTestState()
    const { lease } = await beginRun(state, specFor('invoices'))
    await state.extraction.spoolPage(lease, page(1, 'first'))
    await state.extraction.spoolPage(lease, page(1, 'second'))
    expect(await collect(state.extraction.loadSpool(lease))).toEqual([page(1, 'second')])
  })

  test('ends before a page that is missing, which is written anew', async () => {
    const { state, sql } = await openTestState()
    const { lease } = await beginRun(state, specFor('invoices'))
    for (const pageNo of [1, 2, 3]) await state.extraction.spoolPage(lease, page(pageNo))
    await sql('DELETE FROM spool WHERE page_no = 2')
    expect(await collect(state.extraction.loadSpool(lease))).toEqual([page(1)])
    await sql('DELETE FROM spool WHERE page_no = 1')
    expect(await collect(state.extraction.loadSpool(lease))).toEqual([])
    await state.extraction.spoolPage(lease, page(1, 'again'))
    expect((await collect(state.extraction.loadSpool(lease))).map(({ pageNo }) => pageNo)).toEqual([1])
  })

  test('keeps cursors and marks that hold any text', async () => {
    const { state } = await openTestState()
    const { lease } = await beginRun(state, specFor('invoices'))
    const cursor = { after: 'a\u0000b\ud800', more: [null, 1.5, { '': false }] }
    await state.extraction.spoolPage(lease, { ...page(1), cursor, mark: '\u0000' })
    expect(await collect(state.extraction.loadSpool(lease))).toMatchObject([{ cursor, mark: '\u0000' }])
    await state.extraction.stageBatch(lease, batchOf(1, { cursor, mark: '\u0000', spooledThroughPage: 1 }))
    expect(await state.runs.get(lease.runId)).toMatchObject({ resumeCursor: cursor, mark: '\u0000' })
  })
})

describe('a batch that is staged', () => {
  test('moves the cursor, the mark, the columns and the counts with it', async () => {
    const { state } = await openTestState()
    const { run, lease } = await beginRun(state, specFor('invoices'))
    const partition: PartitionSpec = { mode: 'md5', columns: ['id'], count: 4 }
    expect(await state.extraction.stageBatch(lease, batchOf(5, { mark: 1, partition, pages: 2 }))).toBe(0)
    expect(await state.extraction.stageBatch(lease, batchOf(7, { cursor: ['c'], pages: 3 }))).toBe(1)
    expect(await state.runs.get(run.runId)).toMatchObject({
      nextBatchIndex: 2,
      resumeCursor: ['c'],
      mark: 1,
      partition,
      columns: [{ name: 'id' }],
      counts: { pages: 5, rowsStaged: 12, bytesStaged: 120, batchesStaged: 2, batchesCommitted: 0 },
    })
  })

  test('is refused once the run is extracted', async () => {
    const { state } = await openTestState()
    const { run, lease } = await beginRun(state, specFor('invoices'))
    await state.extraction.finish(lease)
    await state.extraction.finish(lease)
    await expect(state.extraction.stageBatch(lease, batchOf(1))).rejects.toMatchObject({
      code: 'RUN_NOT_ACTIVE',
      message: expect.stringContaining('staged already'),
    })
    expect(await state.runs.get(run.runId)).toMatchObject({ extracted: true, nextBatchIndex: 0 })
    expect((await state.load.claim())?.kind).toBe('finish')
    expect(await state.load.claim()).toBeNull()
  })

  test.each([
    'after-staging-before-queueing:kill@3',
    'after-queueing-before-cursor:kill@3',
    'after-queueing-before-cursor:error@3',
  ])('exists wholly or not at all when its extractor meets %s', async (fault) => {
    const fixture = await openTestState()
    const { state, sql } = fixture
    const role = { kind: 'extract', spec: specFor('invoices'), batches: 5, rows: 10 } as const
    const first = startChild(fixture, role, { fault })
    const { runId } = z.object({ runId: z.string() }).parse(await first.until('extracting'))
    await first.ended
    expect(first.events.filter(({ event }) => event === 'staged')).toHaveLength(2)
    expect(await state.runs.get(runId)).toMatchObject({
      nextBatchIndex: 2,
      resumeCursor: 1,
      counts: { rowsStaged: 20 },
    })
    expect(await sql('SELECT count(*)::int AS jobs FROM job')).toEqual([{ jobs: 2 }])
    const second = startChild(fixture, role)
    await second.until('done')
    expect(await second.until('extracting')).toMatchObject({ runId, from: 2 })
    expect(await state.runs.get(runId)).toMatchObject({ nextBatchIndex: 5, counts: { rowsStaged: 50 } })
    expect(await sql('SELECT batch_index FROM work ORDER BY 1')).toEqual(
      [0, 1, 2, 3, 4, 5].map((index) => ({ batch_index: index })),
    )
  })

  test('is told of the extractor that stalls in the middle of it, and holds nobody up for long', async () => {
    const fixture = await openTestState({ leaseTtlMs: 500 })
    const { state } = fixture
    const role = { kind: 'extract', spec: specFor('invoices'), batches: 3, rows: 1 } as const
    const stalled = startChild(fixture, role, {
      fault: 'after-queueing-before-cursor:stall=12000@2',
      leaseTtlMs: 500,
    })
    const { runId } = z.object({ runId: z.string() }).parse(await stalled.until('extracting'))
    await stalled.until('staged')
    const idle = `SELECT 1 FROM pg_stat_activity, pg_locks WHERE state = 'idle in transaction'
      AND pg_locks.pid = pg_stat_activity.pid AND relation = 'leases'::regclass`
    await expect.poll(() => fixture.sql(idle)).not.toEqual([])
    stalled.signal('SIGSTOP')
    const { signal } = new AbortController()
    const startedAt = performance.now()
    const { lease, run } = await state.leases.acquireWhenFree(runId, { signal })
    // The time that Postgres lets a transaction be idle, and the wait between two looks.
    expect(performance.now() - startedAt).toBeGreaterThan(5_000)
    expect(performance.now() - startedAt).toBeLessThan(13_000)
    expect(run.nextBatchIndex).toBe(1)
    expect(await state.extraction.stageBatch(lease, batchOf(1))).toBe(1)
    stalled.signal('SIGCONT')
    expect(await stalled.until('failed')).toMatchObject({ code: 'LEASE_LOST' })
    expect(await state.runs.get(runId)).toMatchObject({ nextBatchIndex: 2 })
  })
})
