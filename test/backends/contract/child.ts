/**
 * A second process that does to a table what it is asked for, for tests of what processes may do to one another.
 * It reads one request from stdin, since that holds secrets, and writes one JSON event a line.
 */
import { text } from 'node:stream/consumers'
import { z } from 'zod'
import {
  applyModeSchema,
  armSchema,
  backendEnvironmentSchema,
  commitTagSchema,
  taggedBatchSchema,
} from '../../../backends/backend.ts'
import { connectBackend } from '../../../backends/connect.ts'
import { columnSchema, tableSchema } from '../../../backends/schema.ts'

const requestSchema = z.discriminatedUnion('verb', [
  z.strictObject({
    verb: z.literal('apply'),
    arm: armSchema,
    environment: backendEnvironmentSchema,
    spec: tableSchema,
    batches: z.array(taggedBatchSchema).min(1),
    mode: applyModeSchema,
  }),
  z.strictObject({
    verb: z.literal('swap'),
    arm: armSchema,
    environment: backendEnvironmentSchema,
    shadow: z.string(),
    target: z.string(),
    tag: commitTagSchema,
  }),
  z.strictObject({
    verb: z.literal('evolve'),
    arm: armSchema,
    environment: backendEnvironmentSchema,
    spec: tableSchema,
    columns: z.array(columnSchema),
  }),
])

function report(event: object): void {
  process.stdout.write(`${JSON.stringify(event)}\n`)
}

async function timed(action: () => Promise<{ readonly alreadyApplied?: boolean }>): Promise<void> {
  const startedAt = performance.now()
  const { alreadyApplied = false } = await action()
  report({ event: 'done', alreadyApplied, durationMs: performance.now() - startedAt })
}

const request = requestSchema.parse(JSON.parse(await text(process.stdin)))
await using backend = await connectBackend(request.arm, request.environment, {})
if (request.verb === 'swap') {
  report({ event: 'opened', appliedThrough: null })
  await timed(() => backend.swap(request.shadow, request.target, request.tag))
} else if (request.verb === 'evolve') {
  await using table = await backend.open(request.spec)
  report({ event: 'opened', appliedThrough: null })
  await timed(async () => {
    await table.evolve(request.columns)
    return {}
  })
} else {
  await using table = await backend.open(request.spec)
  const [first] = request.batches
  report({ event: 'opened', appliedThrough: await table.appliedThrough(first?.tag.runId ?? '') })
  await timed(() => table.applyTogether(request.batches, request.mode))
}
