import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { z } from 'zod'
import { startChild } from './child.ts'
import { batchOf, beginRun, FAILURE, leaseOf, openTestState, specFor } from './fixture.ts'

const DAY_MS = 86_400_000
const leaseSchema = z.object({ runId: z.string(), token: z.int(), ttlMs: z.int() })

afterEach(() => {
  vi.useRealTimers()
})

describe('the lease of a run', () => {
  test('has one owner, and tells others who that is and for how long', async () => {
    const { state, open } = await openTestState()
    const { run } = await beginRun(state, specFor('invoices'))
    const second = await (await open()).leases.acquire(run.runId)
    expect(second).toMatchObject({ status: 'held', owner: { process: { pid: process.pid } } })
    if (second.status === 'held') {
      expect(second.expiresInMs).toBeGreaterThan(1_000)
      expect(second.expiresInMs).toBeLessThanOrEqual(2_000)
    }
  })

  test('passes on as soon as it is given back, and its token rises', async () => {
    const { state, open } = await openTestState()
    const { run, lease } = await beginRun(state, specFor('invoices'))
    const other = await open()
    const told: unknown[] = []
    const { signal } = new AbortController()
    const waiting = other.leases.acquireWhenFree(run.runId, {
      signal,
      onHeld: (held) => told.push(held.owner),
    })
    await sleep(100)
    await state.leases.release(lease)
    expect((await waiting).lease.token).toBe(lease.token + 1)
    expect(told).toMatchObject([{ process: { pid: process.pid } }])
  })

  test('lasts while it is renewed, and ends a while after', async () => {
    const { state, open } = await openTestState({ leaseTtlMs: 600 })
    const { run, lease } = await beginRun(state, specFor('invoices'))
    const other = await open()
    {
      await using kept = state.leases.keepAlive(lease)
      await sleep(1_500)
      expect(await other.leases.acquire(run.runId)).toMatchObject({ status: 'held' })
      expect(kept.signal.aborted).toBe(false)
    }
    await sleep(700)
    expect(await other.leases.acquire(run.runId)).toMatchObject({ status: 'acquired' })
  })

  test('aborts its holder’s work once it is lost', async () => {
    const { state, open } = await openTestState({ leaseTtlMs: 600 })
    const { run, lease } = await beginRun(state, specFor('invoices'))
    await sleep(700)
    await leaseOf(await open(), run.runId)
    await using kept = state.leases.keepAlive(lease)
    await expect.poll(() => kept.signal.aborted).toBe(true)
    expect(kept.signal.reason).toMatchObject({ code: 'LEASE_LOST' })
  })

  test('aborts its holder’s work once a loader has given a batch up', async () => {
    const { state } = await openTestState()
    const { lease } = await beginRun(state, specFor('invoices'))
    await state.extraction.stageBatch(lease, batchOf(1))
    const claimed = await state.load.claim()
    if (claimed === null) throw new Error('nothing to load')
    await state.load.fail(claimed.claim, FAILURE, { retryable: false })
    await using kept = state.leases.keepAlive(lease)
    await expect.poll(() => kept.signal.aborted).toBe(true)
    expect(kept.signal.reason).toMatchObject({
      code: 'RUN_NOT_ACTIVE',
      message: expect.stringContaining(FAILURE.message),
    })
  })
})

describe('an extractor whose lease was taken over', () => {
  test('is refused whatever it writes, and its successor’s work is as if it had never been', async () => {
    const { state, open, sql } = await openTestState({ leaseTtlMs: 300 })
    const { run, lease } = await beginRun(state, specFor('invoices'))
    await state.extraction.stageBatch(lease, batchOf(1))
    await sleep(400)
    await leaseOf(await open(), run.runId)
    const page = { pageNo: 1, rows: Buffer.from('rows'), cursor: null, mark: null }
    const refused = { code: 'LEASE_LOST', facts: { runId: run.runId, token: lease.token } }
    await expect(state.extraction.spoolPage(lease, page)).rejects.toMatchObject(refused)
    await expect(state.extraction.stageBatch(lease, batchOf(1))).rejects.toMatchObject(refused)
    await expect(state.extraction.finish(lease)).rejects.toMatchObject(refused)
    await expect(state.extraction.fail(lease, FAILURE)).rejects.toMatchObject(refused)
    await expect(state.leases.renew(lease)).rejects.toMatchObject(refused)
    await state.leases.release(lease)
    expect(await state.runs.get(run.runId)).toMatchObject({ status: 'active', nextBatchIndex: 1 })
    expect(await sql('SELECT owner IS NULL AS free FROM leases')).toEqual([{ free: false }])
  })

  test('is refused, too, while it is in the middle of staging', async () => {
    const fixture = await openTestState({ leaseTtlMs: 400 })
    const { state } = fixture
    const spec = specFor('invoices')
    const child = startChild(
      fixture,
      { kind: 'extract', spec, batches: 3, rows: 1 },
      { fault: 'after-staging-before-queueing:stall=1500@2', leaseTtlMs: 400 },
    )
    const { runId } = z.object({ runId: z.string() }).parse(await child.until('extracting'))
    await child.until('staged')
    child.signal('SIGSTOP')
    await sleep(600)
    const lease = await leaseOf(state, runId)
    child.signal('SIGCONT')
    expect(await child.until('failed')).toMatchObject({ code: 'LEASE_LOST' })
    expect(await state.extraction.stageBatch(lease, batchOf(1))).toBe(1)
  })
})

describe('a process that dies', () => {
  test('leaves a lease that another process of the machine takes at once', async () => {
    const fixture = await openTestState({ leaseTtlMs: 60_000 })
    const { run } = await fixture.state.runs.begin(specFor('invoices'), { resume: true })
    const child = startChild(fixture, { kind: 'hold-lease', runId: run.runId }, { leaseTtlMs: 60_000 })
    const held = leaseSchema.parse((await child.until('held'))['lease'])
    expect(await fixture.state.leases.acquire(run.runId)).toMatchObject({ status: 'held' })
    child.signal('SIGKILL')
    await child.ended
    expect((await leaseOf(fixture.state, run.runId)).token).toBe(held.token + 1)
  })

  test('on another machine leaves a lease that ends by itself', async () => {
    const { state, open, sql } = await openTestState({ leaseTtlMs: 500 })
    const { run } = await beginRun(state, specFor('invoices'))
    await sql(`UPDATE leases SET owner = jsonb_set(owner::jsonb, '{host}', '"elsewhere"')`)
    const other = await open()
    expect(await other.leases.acquire(run.runId)).toMatchObject({
      status: 'held',
      owner: { host: 'elsewhere' },
    })
    const { signal } = new AbortController()
    expect(await other.leases.acquireWhenFree(run.runId, { signal })).toMatchObject({ status: 'acquired' })
  })
})

describe('a clock that jumps', () => {
  test.each([DAY_MS, -DAY_MS])('by %d ms on the machine changes no lease', async (jumpMs) => {
    const { state, open } = await openTestState({ leaseTtlMs: 1_000 })
    const { run, lease } = await beginRun(state, specFor('invoices'))
    const other = await open()
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + jumpMs })
    expect(await other.leases.acquire(run.runId)).toMatchObject({ status: 'held' })
    await state.leases.renew(lease)
    await state.extraction.stageBatch(lease, batchOf(1))
    expect((await state.load.claim())?.tag.batchIndex).toBe(0)
    await sleep(1_100)
    expect(await other.leases.acquire(run.runId)).toMatchObject({ status: 'acquired' })
  })

  test('back in the database leaves no lease that lasts until the clock has caught up', async () => {
    const { state, open, sql } = await openTestState()
    const { run } = await beginRun(state, specFor('invoices'))
    await sql(`UPDATE leases SET expires_at = expires_at + interval '1 day'`)
    expect(await (await open()).leases.acquire(run.runId)).toMatchObject({ status: 'acquired' })
  })
})
