import { z } from 'zod'
import { formatOf } from '../../backends/backend.ts'
import { columnSchema } from '../../backends/schema.ts'
import { LakeduelError } from '../../platform/errors.ts'
import type { Statements } from './database.ts'
import {
  type Destination,
  partitionSpecSchema,
  type Run,
  runFailureSchema,
  runSpecSchema,
  runStatusSchema,
} from './model.ts'

/** Postgres hands a bigint over as text. */
export const countSchema = z.coerce.number().pipe(z.int())

/** A row of `runs`. */
export const runRowSchema = z
  .object({
    run_id: z.string(),
    spec: runSpecSchema,
    status: runStatusSchema,
    extracted: z.boolean(),
    next_batch_index: z.int(),
    resume_cursor: z.json(),
    mark: z.json(),
    columns: z.array(columnSchema),
    partition: partitionSpecSchema.nullable(),
    pages: countSchema,
    rows_staged: countSchema,
    bytes_staged: countSchema,
    batches_committed: countSchema,
    rows_committed: countSchema,
    bytes_committed: countSchema,
    rows_dead: countSchema,
    failure: runFailureSchema.nullable(),
    created_at: z.date(),
    updated_at: z.date(),
    finished_at: z.date().nullable(),
  })
  .transform(
    (row): Run => ({
      runId: row.run_id,
      spec: row.spec,
      status: row.status,
      extracted: row.extracted,
      nextBatchIndex: row.next_batch_index,
      resumeCursor: row.resume_cursor,
      mark: row.mark,
      columns: row.columns,
      partition: row.partition,
      counts: {
        pages: row.pages,
        rowsStaged: row.rows_staged,
        bytesStaged: row.bytes_staged,
        batchesStaged: row.next_batch_index,
        batchesCommitted: row.batches_committed,
        rowsCommitted: row.rows_committed,
        bytesCommitted: row.bytes_committed,
        rowsDead: row.rows_dead,
      },
      failure: row.failure,
      createdAt: row.created_at,
      updatedAt: row.updated_at,
      finishedAt: row.finished_at,
    }),
  )

/** @throws LakeduelError `RUN_NOT_FOUND` */
export async function getRun(
  statements: Statements,
  runId: string,
  lock: 'FOR NO KEY UPDATE' | '' = '',
): Promise<Run> {
  const [run] = await statements.rows(runRowSchema, `SELECT * FROM runs WHERE run_id = $1 ${lock}`, [runId])
  if (run === undefined) throw runNotFound(runId)
  return run
}

/** Names the lake table, whichever arm writes it: `lake/format/table`. */
export function destinationKey({ arm, lake, table }: Destination): string {
  return `${lake}/${formatOf(arm)}/${table}`
}

/** Text for a `json` column; SQL's NULL for null. */
export function jsonText(value: unknown): string | null {
  return value === null || value === undefined ? null : JSON.stringify(value)
}

export function runNotFound(runId: string): LakeduelError {
  return new LakeduelError('RUN_NOT_FOUND', `There is no run ${runId}.`, {
    facts: { runId },
    remedy: 'See the runs with `lakeduel runs list`.',
  })
}
