/**
 * A process of the pipeline, without sources and tables: extractors that stage numbers and loaders that commit them, to
 * be killed, stopped and raced. It reads one request from stdin, since that holds secrets, and writes one JSON event a line.
 */

import { text } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import { z } from 'zod'
import { runSpecSchema } from '../../../pipeline/state/model.ts'
import { openState, type State } from '../../../pipeline/state/store.ts'
import { postgresEndpointSchema } from '../../../platform/endpoints.ts'
import { LakeduelError } from '../../../platform/errors.ts'

export const requestSchema = z.strictObject({
  endpoint: postgresEndpointSchema,
  options: z.strictObject({
    schema: z.string(),
    leaseTtlMs: z.int(),
    queue: z.strictObject({
      claimTtlMs: z.int(),
      maxAttempts: z.int(),
      maxLosses: z.int(),
      backoffMs: z.int(),
    }),
  }),
  role: z.discriminatedUnion('kind', [
    z.strictObject({ kind: z.literal('open') }),
    z.strictObject({ kind: z.literal('hold-lease'), runId: z.string() }),
    z.strictObject({ kind: z.literal('extract'), spec: runSpecSchema, batches: z.int(), rows: z.int() }),
    /** Commits until its stdin ends; `workMs` is how long a batch takes. */
    z.strictObject({ kind: z.literal('load'), workMs: z.int() }),
    /** Claims one, says so, and tries to commit it once `waitMs` are over. */
    z.strictObject({ kind: z.literal('claim-one'), waitMs: z.int() }),
  ]),
})
type Request = z.infer<typeof requestSchema>
type Role<Kind extends Request['role']['kind']> = Extract<Request['role'], { kind: Kind }>

function report(event: object): void {
  process.stdout.write(`${JSON.stringify(event)}\n`)
}

async function holdLease(state: State, { runId }: Role<'hold-lease'>): Promise<void> {
  const acquired = await state.leases.acquire(runId)
  if (acquired.status !== 'acquired') throw new Error('the lease is held')
  await using kept = state.leases.keepAlive(acquired.lease)
  report({ event: 'held', lease: acquired.lease })
  await sleep(120_000, undefined, { signal: kept.signal })
}

/** Stages batches from where the run stands until there are `batches` of them, and finishes it. */
async function extract(state: State, { spec, batches, rows }: Role<'extract'>): Promise<void> {
  const { run } = await state.runs.begin(spec, { resume: true })
  const { signal } = new AbortController()
  const { lease, run: found } = await state.leases.acquireWhenFree(run.runId, { signal })
  await using kept = state.leases.keepAlive(lease)
  report({ event: 'extracting', runId: run.runId, from: found.nextBatchIndex })
  for (let index = found.nextBatchIndex; index < batches; index += 1) {
    kept.signal.throwIfAborted()
    const part = { uri: `s3://bucket/${index}.parquet`, rows, bytes: rows, payloadBytes: rows }
    const batchIndex = await state.extraction.stageBatch(lease, {
      record: { parts: [part], columns: [], rows, bytes: rows, payloadBytes: rows },
      cursor: index,
      mark: index,
      partition: { mode: 'none' },
      spooledThroughPage: 0,
      pages: 1,
    })
    report({ event: 'staged', batchIndex })
  }
  await state.extraction.finish(lease)
  await state.leases.release(lease)
}

async function load(state: State, { workMs }: Role<'load'>, signal: AbortSignal): Promise<void> {
  for (;;) {
    const claimed = await state.load.next(signal)
    const { tag } = claimed
    report({ event: 'claimed', ...tag, kind: claimed.kind })
    await using kept = state.load.keepAlive(claimed.claim)
    await sleep(workMs, undefined, { signal: kept.signal })
    if (claimed.kind === 'finish') await state.load.finishRun(claimed.claim)
    else await state.load.commitBatch(claimed.claim, { rowsCommitted: claimed.record.rows, deadRows: [] })
    report({ event: 'committed', ...tag, kind: claimed.kind })
  }
}

async function claimOne(state: State, { waitMs }: Role<'claim-one'>, signal: AbortSignal): Promise<void> {
  const { claim, tag } = await state.load.next(signal)
  report({ event: 'claimed', ...tag, claim })
  await sleep(waitMs)
  await state.load.commitBatch(claim, { rowsCommitted: 1, deadRows: [] })
  report({ event: 'committed', ...tag })
}

async function play(state: State, role: Request['role'], signal: AbortSignal): Promise<void> {
  switch (role.kind) {
    case 'open':
      return
    case 'hold-lease':
      return holdLease(state, role)
    case 'extract':
      return extract(state, role)
    case 'load':
      return load(state, role, signal)
    case 'claim-one':
      return claimOne(state, role, signal)
  }
}

if (import.meta.main) {
  const { endpoint, options, role } = requestSchema.parse(JSON.parse(await text(process.stdin)))
  const stop = new AbortController()
  process.once('SIGTERM', () => stop.abort())
  await using state = await openState(endpoint, options)
  report({ event: 'ready' })
  try {
    await play(state, role, stop.signal)
    report({ event: 'done' })
  } catch (error) {
    if (!stop.signal.aborted) {
      report({ event: 'failed', code: error instanceof LakeduelError ? error.code : String(error) })
    }
  }
}
