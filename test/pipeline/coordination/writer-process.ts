/**
 * One of several writers of a table, in a process of its own. It reads one request from stdin, waits there for a second
 * line to begin, and writes one JSON event a line.
 */
import { createInterface } from 'node:readline'
import { z } from 'zod'
import {
  applyModeSchema,
  armSchema,
  backendEnvironmentSchema,
  taggedBatchSchema,
} from '../../../backends/backend.ts'
import { connectBackend } from '../../../backends/connect.ts'
import { tableSchema } from '../../../backends/schema.ts'
import { COORDINATIONS } from '../../../pipeline/coordination/coordinator.ts'
import { openCoordinator } from '../../../pipeline/coordination/open.ts'

export const writerSchema = z.strictObject({
  arm: armSchema,
  environment: backendEnvironmentSchema,
  spec: tableSchema,
  uri: z.string(),
  coordination: z.enum(COORDINATIONS),
  staleMs: z.int(),
  batches: z.array(taggedBatchSchema).readonly(),
  mode: applyModeSchema,
  partitions: z.array(z.string()).readonly().nullable(),
})

function report(event: object): void {
  process.stdout.write(`${JSON.stringify(event)}\n`)
}

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]()
const request = writerSchema.parse(JSON.parse((await lines.next()).value ?? ''))
await using backend = await connectBackend(request.arm, request.environment, {})
await using handle = await backend.open(request.spec)
await using coordinator = openCoordinator(request.coordination, {
  postgres: request.environment.catalog.postgres,
  staleMs: request.staleMs,
  observe: ({ batches, error }) => report({ event: 'attempt', batches, failed: error !== null }),
})
report({ event: 'ready' })
await lines.next()
const { concurrentUpserts } = backend.capabilities
for (const { batch, tag } of request.batches) {
  const shared = { batch, tag, mode: request.mode, columns: [], partitions: request.partitions }
  const { batchesTogether } = await coordinator.apply({ handle, uri: request.uri, concurrentUpserts }, shared)
  report({ event: 'committed', ...tag, batchesTogether })
}
report({ event: 'done' })
process.stdin.destroy()
