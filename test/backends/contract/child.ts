/**
 * A second process that applies batches, for tests of what processes may do to one another.
 * It reads one request from stdin, since that holds secrets, and writes one JSON event a line.
 */
import { text } from 'node:stream/consumers'
import { z } from 'zod'
import {
  applyModeSchema,
  armSchema,
  backendEnvironmentSchema,
  commitTagSchema,
  stagedBatchSchema,
} from '../../../backends/backend.ts'
import { connectBackend } from '../../../backends/connect.ts'
import { tableSchema } from '../../../backends/schema.ts'

const requestSchema = z.strictObject({
  arm: armSchema,
  environment: backendEnvironmentSchema,
  spec: tableSchema,
  batch: stagedBatchSchema,
  mode: applyModeSchema,
  tag: commitTagSchema,
})

function report(event: object): void {
  process.stdout.write(`${JSON.stringify(event)}\n`)
}

const { arm, environment, spec, batch, mode, tag } = requestSchema.parse(
  JSON.parse(await text(process.stdin)),
)
await using backend = await connectBackend(arm, environment, {})
await using table = await backend.open(spec)
const appliedThrough = await table.appliedThrough(tag.runId)
report({ event: 'opened', appliedThrough })
const startedAt = performance.now()
const { alreadyApplied } = await table.apply(batch, mode, tag)
report({ event: 'applied', alreadyApplied, durationMs: performance.now() - startedAt })
