import { expect, test } from 'vitest'
import type { RunSpec } from '../../../pipeline/state/model.ts'
import type { State } from '../../../pipeline/state/store.ts'
import { beginRun, FAILURE, openTestState, specFor } from '../state/fixture.ts'

const TRIGGERS: RunSpec['triggers'] = [
  { kind: 'notify', channel: 'done' },
  { kind: 'command', argv: ['true'] },
]

async function finishedRun(state: State, overrides: Partial<RunSpec> = {}): Promise<string> {
  const { run, lease } = await beginRun(state, specFor('invoices', overrides))
  await state.extraction.finish(lease)
  const finish = await state.load.claim()
  if (finish === null) throw new Error('no finish')
  await state.load.finishRun(finish.claim)
  return run.runId
}

async function claimAfter(state: State) {
  const claimed = await state.after.claim()
  if (claimed === null) throw new Error('nothing follows')
  return claimed
}

test('a run that is done is followed by its triggers, its compaction and its cleaning up, each once', async () => {
  const { state } = await openTestState()
  const runId = await finishedRun(state, { triggers: TRIGGERS, compaction: { minFiles: 100 } })
  const done = []
  for (let count = 0; count < 4; count += 1) {
    const { claim, work, run } = await claimAfter(state)
    expect(run).toMatchObject({ runId, status: 'done' })
    await state.after.complete(claim)
    await state.after.complete(claim)
    done.push(work)
  }
  expect(done).toEqual([
    ...TRIGGERS.map((trigger) => ({ kind: 'trigger', trigger })),
    { kind: 'compaction' },
    { kind: 'clean-up' },
  ])
  expect(await state.after.claim()).toBeNull()
  expect((await state.runs.details(runId)).unfinished).toEqual([])
})

test('a run without a policy and triggers is followed by its cleaning up alone', async () => {
  const { state } = await openTestState()
  await finishedRun(state)
  expect((await claimAfter(state)).work).toEqual({ kind: 'clean-up' })
  expect(await state.after.claim()).toBeNull()
})

test('a trigger that fails is tried again apart from the data, and from what else follows', async () => {
  const { state } = await openTestState()
  const runId = await finishedRun(state, { triggers: TRIGGERS.slice(0, 1) })
  const failing = await claimAfter(state)
  await state.after.fail(failing.claim, FAILURE, { retryable: true })
  const cleanUp = await claimAfter(state)
  expect(cleanUp.work.kind).toBe('clean-up')
  await state.after.complete(cleanUp.claim)
  const again = await state.after.next(new AbortController().signal)
  expect(again).toMatchObject({ work: failing.work, attempts: 1 })
  expect(await state.runs.get(runId)).toMatchObject({ status: 'done' })
})

test('a trigger that is given up is shown with its run, which stays done, and can be revived', async () => {
  const { state } = await openTestState()
  const runId = await finishedRun(state, { triggers: TRIGGERS.slice(0, 1) })
  await state.after.fail((await claimAfter(state)).claim, FAILURE, { retryable: false })
  expect(await state.runs.details(runId)).toMatchObject({
    run: { status: 'done', failure: null },
    unfinished: [{ kind: 'trigger', status: 'dead', failure: FAILURE }, { kind: 'clean-up' }],
  })
  await state.after.complete((await claimAfter(state)).claim)
  expect(await state.after.claim()).toBeNull()
  expect(await state.runs.retry(runId)).toBe(1)
  expect(await claimAfter(state)).toMatchObject({ work: { kind: 'trigger' }, attempts: 0 })
  expect((await state.runs.begin(specFor('invoices'), { resume: true })).resumed).toBe(false)
})

test('what is handed back is claimed again, unspent', async () => {
  const { state } = await openTestState()
  await finishedRun(state)
  const first = await claimAfter(state)
  await using kept = state.after.keepAlive(first.claim)
  await state.after.handBack(first.claim)
  const second = await claimAfter(state)
  expect(second).toMatchObject({ attempts: 0, work: first.work })
  await expect(state.after.complete(first.claim)).rejects.toMatchObject({ code: 'LEASE_LOST' })
  await expect.poll(() => kept.signal.aborted).toBe(true)
})
