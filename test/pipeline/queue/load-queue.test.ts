import { setTimeout as sleep } from 'node:timers/promises'
import { PgBoss } from 'pg-boss'
import { describe, expect, onTestFinished, test } from 'vitest'
import type { LoadClaim } from '../../../pipeline/queue/load-queue.ts'
import type { State } from '../../../pipeline/state/store.ts'
import { batchOf, beginRun, FAILURE, openTestState, specFor } from '../state/fixture.ts'

const RETRYABLE = { retryable: true }
const all = (rowsCommitted: number) => ({ rowsCommitted, deadRows: [] })

async function claim(state: State): Promise<LoadClaim> {
  const claimed = await state.load.claim()
  if (claimed === null) throw new Error('nothing to load')
  return claimed
}

/** A run with so many batches of one row, and its claims so far. */
async function stagedRun(state: State, table: string, batches: number) {
  const begun = await beginRun(state, specFor(table))
  for (let index = 0; index < batches; index += 1) await state.extraction.stageBatch(begun.lease, batchOf(1))
  return begun
}

describe('the batches of a table', () => {
  test('are loaded one after the other, each with what was recorded of it', async () => {
    const { state } = await openTestState()
    const { run, lease } = await stagedRun(state, 'invoices', 3)
    await state.extraction.finish(lease)
    for (const index of [0, 1, 2]) {
      const claimed = await claim(state)
      expect(claimed).toMatchObject({
        kind: 'batch',
        tag: { runId: run.runId, batchIndex: index },
        record: batchOf(1).record,
        run: { runId: run.runId, counts: { batchesCommitted: index } },
        attempts: 0,
        lastFailure: null,
      })
      expect(await state.load.claim(), 'while the one before is in hand').toBeNull()
      await state.load.commitBatch(claimed.claim, all(1))
    }
    const finish = await claim(state)
    expect(finish).toMatchObject({ kind: 'finish', tag: { runId: run.runId, batchIndex: 3 } })
    await state.load.finishRun(finish.claim)
    await state.load.finishRun(finish.claim)
    expect(await state.runs.get(run.runId)).toMatchObject({
      status: 'done',
      finishedAt: expect.any(Date),
      counts: { batchesCommitted: 3, rowsCommitted: 3, bytesCommitted: 30 },
    })
    expect(await state.load.claim()).toBeNull()
  })

  test('don’t wait for those of other tables', async () => {
    const { state } = await openTestState()
    await stagedRun(state, 'invoices', 2)
    await stagedRun(state, 'charges', 2)
    await stagedRun(state, 'refunds', 1)
    const tables = [await claim(state), await claim(state), await claim(state)].map(
      ({ run }) => run.spec.destination.table,
    )
    expect(tables.toSorted()).toEqual(['charges', 'invoices', 'refunds'])
    expect(await state.load.claim()).toBeNull()
  })

  test('keep their order when the database’s clock is set back between them', async () => {
    const { state, sql } = await openTestState()
    const { lease } = await stagedRun(state, 'invoices', 1)
    await sql(
      `UPDATE job SET created_on = created_on + interval '1 hour', start_after = start_after + interval '1 hour'`,
    )
    await state.extraction.stageBatch(lease, batchOf(1))
    await state.extraction.stageBatch(lease, batchOf(1))
    for (const index of [0, 1, 2]) {
      const claimed = await claim(state)
      expect(claimed.tag.batchIndex).toBe(index)
      await state.load.commitBatch(claimed.claim, all(1))
    }
  })

  test('are claimed within moments of being queued, or of their predecessor’s commit', async () => {
    const { state, open } = await openTestState()
    const { lease } = await beginRun(state, specFor('invoices'))
    const other = await open()
    const { signal } = new AbortController()
    const afterStagingMs: number[] = []
    const afterCommitMs: number[] = []
    for (let round = 0; round < 5; round += 1) {
      const first = other.load.next(signal)
      await sleep(200)
      await state.extraction.stageBatch(lease, batchOf(1))
      const stagedAt = performance.now()
      const { claim: firstClaim } = await first
      afterStagingMs.push(performance.now() - stagedAt)
      await state.extraction.stageBatch(lease, batchOf(1))
      const second = other.load.next(signal)
      await sleep(200)
      await state.load.commitBatch(firstClaim, all(1))
      const committedAt = performance.now()
      const { claim: secondClaim } = await second
      afterCommitMs.push(performance.now() - committedAt)
      await state.load.commitBatch(secondClaim, all(1))
    }
    // The middle one, as this machine may be busy.
    expect(afterStagingMs.toSorted((a, b) => a - b)[2]).toBeLessThan(100)
    expect(afterCommitMs.toSorted((a, b) => a - b)[2]).toBeLessThan(100)
  })

  test('are never forgotten by the queue’s housekeeping, failed or not', async () => {
    const { state, sql, schema, endpoint } = await openTestState()
    await stagedRun(state, 'invoices', 2)
    await state.load.fail((await claim(state)).claim, FAILURE, { retryable: false })
    await stagedRun(state, 'charges', 1)
    await state.load.commitBatch((await claim(state)).claim, all(1))
    await sql(`UPDATE job SET created_on = created_on - interval '5 years', keep_until = keep_until - interval '5 years',
      completed_on = completed_on - interval '5 years'`)
    const { host, port, user, password, database } = endpoint
    const boss = new PgBoss({
      host,
      port,
      user,
      password,
      database,
      schema: `${schema}_queue`,
      supervise: false,
    })
    onTestFinished(() => boss.stop({ graceful: false }))
    await boss.start()
    await boss.supervise()
    expect(await sql('SELECT state FROM job ORDER BY state')).toEqual([
      { state: 'created' },
      { state: 'failed' },
    ])
  })
})

describe('a batch that failed', () => {
  test('is tried again after a while, before its successors', async () => {
    const { state } = await openTestState({ queue: { backoffMs: 400 } })
    await stagedRun(state, 'invoices', 2)
    const outcome = await state.load.fail((await claim(state)).claim, FAILURE, RETRYABLE)
    expect(outcome).toMatchObject({ status: 'retried' })
    expect(await state.load.claim()).toBeNull()
    await sleep(550)
    expect(await claim(state)).toMatchObject({ tag: { batchIndex: 0 }, attempts: 1, lastFailure: FAILURE })
  })

  test('waits twice as long each time', async () => {
    const { state } = await openTestState({ queue: { backoffMs: 10, maxAttempts: 10 } })
    await stagedRun(state, 'invoices', 1)
    const { signal } = new AbortController()
    for (const attempt of [1, 2, 3, 4, 5]) {
      const outcome = await state.load.fail((await state.load.next(signal)).claim, FAILURE, RETRYABLE)
      if (outcome.status !== 'retried') throw new Error('given up')
      expect(outcome.delayMs / (10 * 2 ** (attempt - 1))).toBeGreaterThanOrEqual(0.75)
      expect(outcome.delayMs / (10 * 2 ** (attempt - 1))).toBeLessThanOrEqual(1.25)
    }
  })

  test('too often is given up with its run, and its successors wait until both are revived', async () => {
    const { state } = await openTestState()
    const { run, lease } = await stagedRun(state, 'invoices', 2)
    const { signal } = new AbortController()
    const outcomes = []
    for (let attempt = 0; attempt < 3; attempt += 1) {
      outcomes.push(await state.load.fail((await state.load.next(signal)).claim, FAILURE, RETRYABLE))
    }
    expect(outcomes.map(({ status }) => status)).toEqual(['retried', 'retried', 'dead'])
    expect(await state.runs.get(run.runId)).toMatchObject({ status: 'failed', failure: FAILURE })
    expect((await state.runs.details(run.runId)).unfinished).toMatchObject([
      { kind: 'batch', batchIndex: 0, status: 'dead', attempts: 3, failure: FAILURE, claimedBy: null },
      { kind: 'batch', batchIndex: 1, status: 'open', attempts: 0, failure: null },
    ])
    expect(await state.load.claim()).toBeNull()
    await expect(state.extraction.stageBatch(lease, batchOf(1))).rejects.toMatchObject({
      code: 'RUN_NOT_ACTIVE',
    })
    expect(await state.runs.retry(run.runId)).toBe(1)
    expect(await state.runs.retry(run.runId)).toBe(0)
    expect(await state.runs.get(run.runId)).toMatchObject({ status: 'active', failure: null })
    for (const index of [0, 1]) {
      const claimed = await claim(state)
      expect(claimed).toMatchObject({ tag: { batchIndex: index }, attempts: 0 })
      await state.load.commitBatch(claimed.claim, all(1))
    }
    await state.extraction.stageBatch(lease, batchOf(1))
  })

  test('for good is given up at once', async () => {
    const { state } = await openTestState()
    const { run } = await stagedRun(state, 'invoices', 1)
    const outcome = await state.load.fail((await claim(state)).claim, FAILURE, { retryable: false })
    expect(outcome).toEqual({ status: 'dead' })
    expect(await state.runs.get(run.runId)).toMatchObject({ status: 'failed' })
  })

  test('of one table keeps no other waiting', async () => {
    const { state } = await openTestState()
    await stagedRun(state, 'invoices', 1)
    await state.load.fail((await claim(state)).claim, FAILURE, { retryable: false })
    const { run } = await stagedRun(state, 'charges', 1)
    expect((await claim(state)).tag.runId).toBe(run.runId)
  })
})

describe('a batch that is handed back', () => {
  test('is claimed again at once, and has spent no attempt, however often', async () => {
    const { state } = await openTestState()
    const { run } = await stagedRun(state, 'invoices', 2)
    for (let times = 0; times < 10; times += 1) {
      const claimed = await claim(state)
      expect(claimed).toMatchObject({ tag: { batchIndex: 0 }, attempts: 0 })
      await state.load.handBack(claimed.claim)
      await state.load.handBack(claimed.claim)
    }
    expect((await state.runs.details(run.runId)).unfinished[0]).toMatchObject({ attempts: 0, losses: 0 })
    await state.load.fail((await claim(state)).claim, FAILURE, RETRYABLE)
    const { signal } = new AbortController()
    expect(await state.load.next(signal)).toMatchObject({ attempts: 1 })
  })

  test('is refused what comes of the first claim, also when it was claimed again', async () => {
    const { state } = await openTestState()
    await stagedRun(state, 'invoices', 1)
    const first = await claim(state)
    await state.load.handBack(first.claim)
    const lost = { code: 'LEASE_LOST' }
    await expect(state.load.commitBatch(first.claim, all(1))).rejects.toMatchObject(lost)
    const second = await claim(state)
    await expect(state.load.commitBatch(first.claim, all(1))).rejects.toMatchObject(lost)
    await expect(state.load.heartbeat(first.claim)).rejects.toMatchObject(lost)
    await expect(state.load.fail(first.claim, FAILURE, RETRYABLE)).rejects.toMatchObject(lost)
    await state.load.handBack(first.claim)
    await state.load.heartbeat(second.claim)
    await state.load.commitBatch(second.claim, all(1))
  })
})

describe('a commit', () => {
  test('counts once, however often the loader says it', async () => {
    const { state } = await openTestState()
    const { run } = await stagedRun(state, 'invoices', 1)
    const { claim: claimed } = await claim(state)
    for (let times = 0; times < 3; times += 1) await state.load.commitBatch(claimed, all(1))
    expect(await state.runs.get(run.runId)).toMatchObject({
      counts: { batchesCommitted: 1, rowsCommitted: 1, bytesCommitted: 10 },
    })
    await expect(state.load.fail(claimed, FAILURE, RETRYABLE)).rejects.toMatchObject({ code: 'LEASE_LOST' })
  })

  test('tells of rows that could not be loaded, with their keys and sizes', async () => {
    const { state } = await openTestState()
    const { run } = await stagedRun(state, 'invoices', 1)
    const { claim: claimed } = await claim(state)
    const dead = {
      key: ['in_\u0000'],
      payloadBytes: 2 ** 31,
      reason: 'too large',
      partUri: 's3://bucket/dead.parquet',
    }
    await state.load.commitBatch(claimed, { rowsCommitted: 0, deadRows: [dead] })
    const { deadRows } = await state.runs.details(run.runId)
    expect(deadRows).toEqual([{ runId: run.runId, batchIndex: 0, ...dead }])
    expect(await state.runs.get(run.runId)).toMatchObject({ counts: { rowsCommitted: 0, rowsDead: 1 } })
  })
})

describe('a loader that falls silent', () => {
  test('loses its batch after a while, and what it commits afterwards is refused', async () => {
    const { state, open, sql } = await openTestState({ queue: { claimTtlMs: 600 } })
    const { run } = await stagedRun(state, 'invoices', 1)
    const silent = await claim(state)
    await sql(`UPDATE work SET owner = jsonb_set(owner::jsonb, '{host}', '"elsewhere"')`)
    const other = await open()
    expect(await other.load.claim()).toBeNull()
    const { signal } = new AbortController()
    const taken = await other.load.next(signal)
    expect(taken).toMatchObject({ tag: { batchIndex: 0 }, attempts: 0 })
    await expect(state.load.commitBatch(silent.claim, all(1))).rejects.toMatchObject({
      code: 'LEASE_LOST',
      facts: { runId: run.runId },
    })
    expect(await state.runs.get(run.runId)).toMatchObject({ counts: { rowsCommitted: 0 } })
    expect((await state.runs.details(run.runId)).unfinished).toMatchObject([
      { losses: 1, attempts: 0, claimedBy: expect.stringContaining(`process ${process.pid}`) },
    ])
    await other.load.commitBatch(taken.claim, all(1))
  })

  test('is told by the signal of its heartbeats', async () => {
    const { state, open } = await openTestState({ queue: { claimTtlMs: 400 } })
    await stagedRun(state, 'invoices', 1)
    const silent = await claim(state)
    await sleep(500)
    const { signal } = new AbortController()
    await (await open()).load.next(signal)
    await using kept = state.load.keepAlive(silent.claim)
    await expect.poll(() => kept.signal.aborted).toBe(true)
    expect(kept.signal.reason).toMatchObject({ code: 'LEASE_LOST' })
  })

  test('keeps its batch for as long as it gives signs of life', async () => {
    const { state, open } = await openTestState({ queue: { claimTtlMs: 600 } })
    await stagedRun(state, 'invoices', 1)
    const slow = await claim(state)
    const other = await open()
    {
      await using kept = state.load.keepAlive(slow.claim)
      for (let times = 0; times < 15; times += 1) {
        await sleep(100)
        expect(await other.load.claim()).toBeNull()
      }
      expect(kept.signal.aborted).toBe(false)
    }
    await state.load.commitBatch(slow.claim, all(1))
  })

  test('again and again costs the batch its place in the end', async () => {
    const { state, sql } = await openTestState({ queue: { claimTtlMs: 300, maxLosses: 3 } })
    const { run } = await stagedRun(state, 'invoices', 1)
    for (let losses = 0; losses < 3; losses += 1) {
      expect(await claim(state)).toMatchObject({ attempts: 0, losses })
      await sql(`UPDATE work SET expires_at = clock_timestamp() - interval '1 s'`)
      await sleep(100)
    }
    expect(await state.load.claim()).toBeNull()
    expect(await state.runs.get(run.runId)).toMatchObject({
      status: 'failed',
      failure: { code: 'workers_lost', class: 'system' },
    })
    await state.runs.retry(run.runId)
    // They are forgiven, but the next loader still begins with as small a part of it as they tell.
    expect(await claim(state)).toMatchObject({ attempts: 0, losses: 3 })
  })

  test('between fetching a batch and claiming it is noticed, too', async () => {
    const { state, sql } = await openTestState({ queue: { claimTtlMs: 300 } })
    await stagedRun(state, 'invoices', 1)
    await sql(`UPDATE job SET state = 'active', started_on = now(), heartbeat_on = now()`)
    expect(await state.load.claim()).toBeNull()
    await sleep(400)
    expect(await claim(state)).toMatchObject({ attempts: 0 })
  })

  test('is not taken for dead for ever when the database’s clock was set back', async () => {
    const { state, sql } = await openTestState({ queue: { claimTtlMs: 300 } })
    await stagedRun(state, 'invoices', 1)
    await claim(state)
    await sql(`UPDATE work SET expires_at = expires_at + interval '1 day'`)
    await sleep(100)
    expect(await claim(state)).toMatchObject({ tag: { batchIndex: 0 } })
  })
})

describe('a run that is finished', () => {
  test('moves the high-water mark of its table, and not before', async () => {
    const { state } = await openTestState()
    const spec = specFor('invoices')
    const { run, lease } = await beginRun(state, spec)
    await state.extraction.stageBatch(lease, batchOf(1, { mark: '2026-11-26' }))
    await state.extraction.finish(lease)
    await state.load.commitBatch((await claim(state)).claim, all(1))
    expect(await state.runs.storedTable(spec.destination)).toBeNull()
    await state.load.finishRun((await claim(state)).claim)
    expect(await state.runs.storedTable(spec.destination)).toMatchObject({
      mark: '2026-11-26',
      columns: batchOf(1).record.columns,
      primaryKey: ['id'],
      partition: { mode: 'none' },
      lastRunId: run.runId,
    })
    const second = await beginRun(state, spec)
    await state.extraction.finish(second.lease)
    await state.load.finishRun((await claim(state)).claim)
    expect(await state.runs.storedTable(spec.destination), 'an empty run leaves the mark').toMatchObject({
      mark: '2026-11-26',
      lastRunId: second.run.runId,
    })
  })

  test('makes its table one that others are read by, in the other format as soon as it is carried over', async () => {
    const { state } = await openTestState()
    const delta = { arm: 'delta/merge', lake: 'main', table: 'bills', settings: {} } as const
    const ducklake = { ...delta, arm: 'ducklake/merge', table: 'invoices' } as const
    const { source, ...spec } = specFor('invoices', { destination: delta })
    const { lease } = await beginRun(state, { source, ...spec })
    await state.extraction.finish(lease)
    await state.load.finishRun((await claim(state)).claim)
    const child = { ...ducklake, table: 'invoice_line_items' } as const
    expect(await state.runs.syncedFrom(source, { ...child, arm: 'delta/merge' })).toEqual({
      table: 'bills',
      primaryKey: ['id'],
    })
    expect(await state.runs.syncedFrom(source, child)).toBeNull()
    await state.runs.carryOver(delta, ducklake)
    expect(await state.runs.syncedFrom(source, child)).toEqual({ table: 'invoices', primaryKey: ['id'] })
    expect(await state.runs.syncedFrom({ ...source, table: 'customers' }, child)).toBeNull()
  })

  test('leaves its extractor nothing to write', async () => {
    const { state } = await openTestState()
    const { lease } = await beginRun(state, specFor('invoices'))
    await state.extraction.finish(lease)
    await state.load.finishRun((await claim(state)).claim)
    await expect(state.extraction.stageBatch(lease, batchOf(1))).rejects.toMatchObject({
      code: 'RUN_NOT_ACTIVE',
    })
  })

  test('is tried again as a batch is, when finishing fails', async () => {
    const { state } = await openTestState()
    const { run, lease } = await beginRun(state, specFor('invoices'))
    await state.extraction.finish(lease)
    await state.load.fail((await claim(state)).claim, FAILURE, { retryable: false })
    expect(await state.runs.get(run.runId)).toMatchObject({ status: 'failed', extracted: true })
    await state.runs.retry(run.runId)
    await state.load.finishRun((await claim(state)).claim)
    expect(await state.runs.get(run.runId)).toMatchObject({ status: 'done', failure: null })
  })
})
