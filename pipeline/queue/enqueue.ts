import { randomUUID } from 'node:crypto'
import type { PgBoss } from 'pg-boss'
import type { Statements } from '../state/database.ts'
import type { BatchRecord, LoadMessage, Trigger } from '../state/model.ts'
import { jsonText } from '../state/run-row.ts'
import { AFTER_QUEUE, LOAD_QUEUE } from './boss.ts'
import { placeLast } from './jobs.ts'

interface LoadWork {
  /** Chosen before the transaction, so that running it again finds what it did. */
  readonly workId: string
  /** The table whose line it joins. */
  readonly destination: string
  readonly message: LoadMessage
  /** Null for a finish. */
  readonly record: BatchRecord | null
}

/** What follows a run, besides its data. */
export type AfterWork =
  | { readonly kind: 'compaction' }
  | { readonly kind: 'trigger'; readonly trigger: Trigger }
  /** Removes the staged parts of the run, which nothing reads any more. */
  | { readonly kind: 'clean-up' }

/** Records work for the loaders and queues its message, in the caller's transaction. */
export async function enqueueLoad(transaction: Statements, boss: PgBoss, work: LoadWork): Promise<void> {
  const { workId, destination, message, record } = work
  const { kind, tag } = message
  await transaction.run(
    `INSERT INTO work (work_id, queue, run_id, kind, batch_index, record, rows, bytes)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
    [
      workId,
      LOAD_QUEUE,
      tag.runId,
      kind,
      tag.batchIndex,
      jsonText(record),
      record?.rows ?? 0,
      record?.bytes ?? 0,
    ],
  )
  await boss.send(LOAD_QUEUE, message, { id: workId, singletonKey: destination, db: transaction.boss })
  await placeLast(transaction, LOAD_QUEUE, workId)
}

/** Records and queues what follows a run, in the caller's transaction. */
export async function enqueueAfter(
  transaction: Statements,
  boss: PgBoss,
  runId: string,
  works: readonly AfterWork[],
): Promise<void> {
  for (const work of works) {
    const workId = randomUUID()
    const trigger = work.kind === 'trigger' ? work.trigger : null
    await transaction.run(
      'INSERT INTO work (work_id, queue, run_id, kind, trigger) VALUES ($1, $2, $3, $4, $5)',
      [workId, AFTER_QUEUE, runId, work.kind, jsonText(trigger)],
    )
    await boss.send(AFTER_QUEUE, { kind: work.kind, runId }, { id: workId, db: transaction.boss })
    await placeLast(transaction, AFTER_QUEUE, workId)
  }
}
