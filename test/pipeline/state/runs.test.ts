import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import type { State } from '../../../pipeline/state/store.ts'
import { batchOf, beginRun, FAILURE, openTestState, specFor } from './fixture.ts'

describe('a run that is begun', () => {
  test('has a name that tells the table and the moment, and starts from nothing', async () => {
    const { state } = await openTestState()
    const { run, resumed } = await state.runs.begin(specFor('invoices'), { resume: true })
    expect(resumed).toBe(false)
    expect(run.runId).toMatch(/^invoices-\d{8}T\d{6}-[0-9a-z]{6}$/)
    expect(run).toMatchObject({ status: 'active', extracted: false, nextBatchIndex: 0, resumeCursor: null })
    expect(await state.runs.get(run.runId)).toEqual(run)
  })

  test('is taken up by whoever begins the same again', async () => {
    const { state } = await openTestState()
    const { run } = await state.runs.begin(specFor('invoices'), { resume: true })
    const again = await state.runs.begin(specFor('invoices'), { resume: true })
    expect(again).toMatchObject({ resumed: true, run: { runId: run.runId } })
  })

  test.each([
    { what: 'another spec', spec: specFor('invoices', { mode: 'full-refresh' }), resume: true },
    { what: 'the same spec that is not to be resumed', spec: specFor('invoices'), resume: false },
    {
      what: 'another arm of the same format',
      spec: specFor('invoices', {
        destination: { arm: 'ducklake/delete-insert', lake: 'main', table: 'invoices', settings: {} },
      }),
      resume: true,
    },
  ])('stands in the way of $what, and the message says how to go on', async ({ spec, resume }) => {
    const { state } = await openTestState()
    const { run } = await state.runs.begin(specFor('invoices'), { resume: true })
    await expect(state.runs.begin(spec, { resume })).rejects.toMatchObject({
      code: 'RUN_IN_PROGRESS',
      message: expect.stringContaining(run.runId),
      remedy: expect.stringContaining(`lakeduel runs cancel ${run.runId}`),
      facts: { createdAt: run.createdAt.toISOString() },
    })
  })

  test('leaves other lakes and formats alone', async () => {
    const { state } = await openTestState()
    await state.runs.begin(specFor('invoices'), { resume: true })
    const destination = { arm: 'delta/merge', lake: 'main', table: 'invoices', settings: {} } as const
    const other = await state.runs.begin(specFor('invoices', { destination }), { resume: true })
    expect(other.resumed).toBe(false)
    const elsewhere = { ...destination, lake: 'second' }
    const third = await state.runs.begin(specFor('invoices', { destination: elsewhere }), { resume: true })
    expect(third.resumed).toBe(false)
  })

  test('is one, however many begin it at the same moment', async () => {
    const { state, open } = await openTestState()
    const states = [state, await open(), await open()]
    const begun = await Promise.all(
      Array.from({ length: 12 }, (_, index) =>
        (states[index % 3] ?? state).runs.begin(specFor('invoices'), { resume: true }),
      ),
    )
    expect(new Set(begun.map(({ run }) => run.runId)).size).toBe(1)
    expect(begun.filter(({ resumed }) => !resumed)).toHaveLength(1)
  })
})

test('a failed run is revived by whoever begins the same again, and stands in the way of others', async () => {
  const { state } = await openTestState()
  const { run, lease } = await beginRun(state, specFor('invoices'))
  await state.extraction.fail(lease, FAILURE)
  expect(await state.runs.get(run.runId)).toMatchObject({ status: 'failed', failure: FAILURE })
  await expect(
    state.runs.begin(specFor('invoices', { nested: 'struct' }), { resume: true }),
  ).rejects.toMatchObject({ code: 'RUN_IN_PROGRESS', message: expect.stringContaining(FAILURE.message) })
  const again = await state.runs.begin(specFor('invoices'), { resume: true })
  expect(again).toMatchObject({ resumed: true, run: { runId: run.runId, status: 'active', failure: null } })
})

test('runs are listed with the newest first, and by their status', async () => {
  const { state } = await openTestState()
  const first = await state.runs.begin(specFor('a'), { resume: true })
  const second = await state.runs.begin(specFor('b'), { resume: true })
  await state.runs.cancel(first.run.runId)
  const ids = async (...filter: Parameters<State['runs']['list']>) =>
    (await state.runs.list(...filter)).map(({ runId }) => runId)
  expect(await ids()).toEqual([second.run.runId, first.run.runId])
  expect(await ids({ limit: 1 })).toEqual([second.run.runId])
  expect(await ids({ statuses: ['cancelled'] })).toEqual([first.run.runId])
})

test('a run that does not exist is told by name', async () => {
  const { state } = await openTestState()
  const attempts = [
    () => state.runs.get('gone'),
    () => state.runs.details('gone'),
    () => state.runs.progress('gone'),
    () => state.runs.cancel('gone'),
    () => state.runs.retry('gone'),
    () => state.runs.wait('gone'),
    () => state.leases.acquire('gone'),
  ]
  for (const attempt of attempts) {
    await expect(attempt()).rejects.toMatchObject({ code: 'RUN_NOT_FOUND', facts: { runId: 'gone' } })
  }
})

describe('waiting for a run', () => {
  test('ends within moments of the run’s end, seen from another process', async () => {
    const { state, open } = await openTestState()
    const { run, lease } = await beginRun(state, specFor('invoices'))
    const other = await open()
    const waiting = other.runs.wait(run.runId, { pollMs: 60_000 })
    await sleep(300)
    await state.extraction.finish(lease)
    const finish = await state.load.claim()
    if (finish === null) throw new Error('no finish')
    await state.load.finishRun(finish.claim)
    expect(await waiting).toMatchObject({ runId: run.runId, status: 'done' })
  })

  test('ends with the reason of a signal', async () => {
    const { state } = await openTestState()
    const { run } = await beginRun(state, specFor('invoices'))
    const reason = new Error('enough')
    const waiting = state.runs.wait(run.runId, { signal: AbortSignal.any([AbortSignal.timeout(100)]) })
    await expect(waiting).rejects.toThrow(/timeout/)
    await expect(state.runs.wait(run.runId, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
  })
})

describe('a run that is cancelled', () => {
  test('frees its table, leaves nothing to load but its cleaning up, and refuses its extractor', async () => {
    const { state, sql } = await openTestState()
    const { run, lease } = await beginRun(state, specFor('invoices'))
    await state.extraction.spoolPage(lease, { pageNo: 1, rows: Buffer.from('rows'), cursor: 1, mark: null })
    await state.extraction.stageBatch(lease, batchOf(5))
    await state.runs.cancel(run.runId)
    await state.runs.cancel(run.runId)
    expect(await state.runs.get(run.runId)).toMatchObject({
      status: 'cancelled',
      finishedAt: expect.any(Date),
    })
    expect(await state.load.claim()).toBeNull()
    expect(await sql('SELECT 1 FROM spool')).toEqual([])
    expect((await state.after.claim())?.work).toEqual({ kind: 'clean-up' })
    expect(await state.after.claim()).toBeNull()
    await expect(state.extraction.stageBatch(lease, batchOf(5))).rejects.toMatchObject({
      code: 'RUN_NOT_ACTIVE',
      message: expect.stringContaining('cancelled'),
    })
    await expect(state.leases.renew(lease)).rejects.toMatchObject({ code: 'RUN_NOT_ACTIVE' })
    await expect(state.runs.retry(run.runId)).rejects.toMatchObject({ code: 'RUN_NOT_ACTIVE' })
    const next = await state.runs.begin(specFor('invoices', { mode: 'append' }), { resume: true })
    expect(next.resumed).toBe(false)
  })

  test('refuses the loader that has its batch', async () => {
    const { state } = await openTestState()
    const { run, lease } = await beginRun(state, specFor('invoices'))
    await state.extraction.stageBatch(lease, batchOf(5))
    const claimed = await state.load.claim()
    if (claimed === null) throw new Error('nothing to load')
    await state.runs.cancel(run.runId)
    const refused = { code: 'RUN_NOT_ACTIVE' }
    await expect(state.load.heartbeat(claimed.claim)).rejects.toMatchObject(refused)
    await expect(
      state.load.commitBatch(claimed.claim, { rowsCommitted: 5, deadRows: [] }),
    ).rejects.toMatchObject(refused)
    await expect(state.load.fail(claimed.claim, FAILURE, { retryable: true })).rejects.toMatchObject(refused)
    await state.load.handBack(claimed.claim)
    expect(await state.runs.get(run.runId)).toMatchObject({ counts: { rowsCommitted: 0 } })
  })

  test('can’t be one that is done', async () => {
    const { state } = await openTestState()
    const { run, lease } = await beginRun(state, specFor('invoices'))
    await state.extraction.finish(lease)
    const finish = await state.load.claim()
    if (finish === null) throw new Error('no finish')
    await state.load.finishRun(finish.claim)
    await expect(state.runs.cancel(run.runId)).rejects.toMatchObject({ code: 'RUN_NOT_ACTIVE' })
  })
})

describe('an extractor that is held back', () => {
  test('goes on as soon as enough is loaded', async () => {
    const { state, open } = await openTestState()
    const { run, lease } = await beginRun(state, specFor('invoices'))
    await state.extraction.stageBatch(lease, batchOf(10))
    await state.extraction.stageBatch(lease, batchOf(20))
    const limit = { limitBytes: 250, pollMs: 60_000 }
    expect(await state.runs.progress(run.runId)).toMatchObject({ stagedUncommittedBytes: 300, loading: 0 })
    const waiting = state.runs.waitForRoom(run.runId, limit)
    await sleep(300)
    const loader = await open()
    const claimed = await loader.load.claim()
    if (claimed === null) throw new Error('nothing to load')
    expect(await state.runs.progress(run.runId)).toMatchObject({ loading: 1 })
    await loader.load.commitBatch(claimed.claim, { rowsCommitted: 10, deadRows: [] })
    expect(await waiting).toMatchObject({ stagedUncommittedBytes: 200 })
  })

  test('is not held for ever by a run that failed', async () => {
    const { state } = await openTestState()
    const { run, lease } = await beginRun(state, specFor('invoices'))
    await state.extraction.stageBatch(lease, batchOf(10))
    const waiting = state.runs.waitForRoom(run.runId, { limitBytes: 1, pollMs: 60_000 })
    await sleep(300)
    const claimed = await state.load.claim()
    if (claimed === null) throw new Error('nothing to load')
    await state.load.fail(claimed.claim, FAILURE, { retryable: false })
    expect(await waiting).toMatchObject({ status: 'failed' })
  })
})
