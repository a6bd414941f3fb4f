import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { type Child, startChild } from '../state/child.ts'
import { batchOf, beginRun, openTestState, specFor, type TestState } from '../state/fixture.ts'

const TABLES = ['invoices', 'charges', 'refunds', 'customers']
const BATCHES = 15

const tagSchema = z.object({ runId: z.string(), batchIndex: z.int() })
const claimSchema = z.object({ workId: z.string(), runId: z.string(), count: z.int(), ttlMs: z.int() })

/** Writes down in the database, in the order of the commits, what is claimed and settled. */
async function keepJournal({ sql }: TestState): Promise<void> {
  await sql(`CREATE TABLE journal (at bigserial, run_id text, batch_index int, what text, owner text)`)
  await sql(`
    CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
      INSERT INTO journal (run_id, batch_index, what, owner) VALUES (NEW.run_id, NEW.batch_index,
        CASE WHEN NEW.status = 'done' THEN 'done' ELSE 'claimed' END, NEW.owner->'process'->>'pid');
      RETURN NEW;
    END $$`)
  await sql(`CREATE TRIGGER note AFTER UPDATE ON work FOR EACH ROW
    WHEN (NEW.queue = 'lakeduel-load' AND (NEW.status = 'done' OR NEW.claim IS DISTINCT FROM OLD.claim))
    EXECUTE FUNCTION note()`)
}

async function journalOf({ sql }: TestState, runId: string): Promise<readonly string[]> {
  const rows = await sql('SELECT what, batch_index FROM journal WHERE run_id = $1 ORDER BY at', [runId])
  return rows.map(({ what, batch_index: index }) => `${String(what)} ${String(index)}`)
}

function committedBy(child: Child): number {
  return child.events.filter(({ event }) => event === 'committed').length
}

test('three processes load four tables beside each other, and each table strictly in its order', async () => {
  const fixture = await openTestState()
  await keepJournal(fixture)
  const loaders = [1, 2, 3].map(() => startChild(fixture, { kind: 'load', workMs: 10 }))
  const extractors = TABLES.map((table) =>
    startChild(fixture, { kind: 'extract', spec: specFor(table), batches: BATCHES, rows: 3 }),
  )
  const runIds = await Promise.all(
    extractors.map(async (child) => z.string().parse((await child.until('extracting'))['runId'])),
  )
  const inOrder = Array.from({ length: BATCHES + 1 }, (_, index) => [
    `claimed ${index}`,
    `done ${index}`,
  ]).flat()
  for (const runId of runIds) {
    expect(await fixture.state.runs.wait(runId)).toMatchObject({
      status: 'done',
      counts: { batchesCommitted: BATCHES, rowsCommitted: 3 * BATCHES, rowsStaged: 3 * BATCHES },
    })
    expect(await journalOf(fixture, runId)).toEqual(inOrder)
  }
  for (const loader of loaders) loader.signal('SIGTERM')
  await Promise.all(loaders.map(({ ended }) => ended))
  expect(loaders.map(committedBy).reduce((sum, count) => sum + count)).toBe(TABLES.length * (BATCHES + 1))
  expect(Math.min(...loaders.map(committedBy)), 'each of them has had some').toBeGreaterThan(0)
})

test('the batch of a killed loader is taken over at once by another on the machine', async () => {
  const fixture = await openTestState({ queue: { claimTtlMs: 6_000 } })
  const { lease, run } = await beginRun(fixture.state, specFor('invoices'))
  await fixture.state.extraction.stageBatch(lease, batchOf(1))
  const child = startChild(fixture, { kind: 'claim-one', waitMs: 60_000 })
  await child.until('claimed')
  child.signal('SIGKILL')
  await child.ended
  const killedAt = performance.now()
  const taken = await fixture.state.load.next(new AbortController().signal)
  expect(performance.now() - killedAt).toBeLessThan(2_500)
  expect(taken).toMatchObject({ tag: { runId: run.runId, batchIndex: 0 }, attempts: 0 })
  await fixture.state.load.commitBatch(taken.claim, { rowsCommitted: 1, deadRows: [] })
})

test('the batch of a loader that is cut off is taken over within 15 s with the usual settings', async () => {
  const fixture = await openTestState({ queue: { claimTtlMs: 12_000 } })
  const { lease } = await beginRun(fixture.state, specFor('invoices'))
  await fixture.state.extraction.stageBatch(lease, batchOf(1))
  await fixture.state.load.claim()
  await fixture.sql(`UPDATE work SET owner = jsonb_set(owner::jsonb, '{host}', '"elsewhere"')`)
  const cutOffAt = performance.now()
  await (await fixture.open()).load.next(new AbortController().signal)
  expect(performance.now() - cutOffAt).toBeLessThan(15_000)
})

test('a loader that was stopped and wakes after its batch was taken over commits nothing', async () => {
  const fixture = await openTestState()
  const { state } = fixture
  const { lease, run } = await beginRun(state, specFor('invoices'))
  await state.extraction.stageBatch(lease, batchOf(1))
  const zombie = startChild(fixture, { kind: 'claim-one', waitMs: 500 })
  const claimed = await zombie.until('claimed')
  zombie.signal('SIGSTOP')
  const taken = await state.load.next(new AbortController().signal)
  expect(taken.tag).toEqual(tagSchema.parse(claimed))
  expect(taken.claim.count).toBe(claimSchema.parse(claimed['claim']).count + 1)
  zombie.signal('SIGCONT')
  expect(await zombie.until('failed')).toMatchObject({ code: 'LEASE_LOST' })
  expect(await state.runs.get(run.runId)).toMatchObject({ counts: { batchesCommitted: 0 } })
  await state.load.commitBatch(taken.claim, { rowsCommitted: 1, deadRows: [] })
})

test('loaders that are killed over and over lose nothing and count nothing twice', async () => {
  const fixture = await openTestState({ queue: { claimTtlMs: 2_000, maxLosses: 100 } })
  const options = { queue: { claimTtlMs: 2_000, maxAttempts: 3, maxLosses: 100, backoffMs: 50 } }
  const extractor = startChild(fixture, { kind: 'extract', spec: specFor('invoices'), batches: 60, rows: 7 })
  const runId = z.string().parse((await extractor.until('extracting'))['runId'])
  const done = fixture.state.runs.wait(runId)
  let kills = 0
  while ((await fixture.state.runs.get(runId)).status === 'active') {
    const loader = startChild(fixture, { kind: 'load', workMs: 5 }, options)
    await loader.until('claimed')
    await Promise.race([sleep(50 + Math.random() * 300), done])
    loader.signal('SIGKILL')
    await loader.ended
    kills += 1
  }
  expect(kills).toBeGreaterThan(2)
  expect(await done).toMatchObject({ status: 'done', counts: { batchesCommitted: 60, rowsCommitted: 420 } })
})
