/**
 * The batches that wait to be committed, in a table of Postgres that all processes share. A request is its writer's as long
 * as the writer's connection lives: afterwards nobody waits for it, its parts may go at any time, and it is removed.
 *
 * The table is not logged, so that waiting costs no WAL: a crash of Postgres empties it, and ends all connections with it.
 */
import { z } from 'zod'
import type { CommitTag } from '../../backends/backend.ts'
import { applyModeSchema, stagedBatchSchema } from '../../backends/backend.ts'
import { columnSchema } from '../../backends/schema.ts'
import { LakeduelError } from '../../platform/errors.ts'
import type { SharedBatch } from './coordinator.ts'
import type { Session } from './session.ts'
import type { LockKey } from './table-lock.ts'

const INSTALL = `
  DO $$ BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('lakeduel coordination', 0));
    CREATE SCHEMA IF NOT EXISTS lakeduel_coordination;
    CREATE UNLOGGED TABLE IF NOT EXISTS lakeduel_coordination.requests (
      request_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
      table_key bigint NOT NULL,
      run_id text NOT NULL,
      batch_index int NOT NULL,
      request jsonb NOT NULL,
      payload_bytes bigint NOT NULL,
      writer_pid int NOT NULL,
      writer_start timestamptz NOT NULL,
      outcome jsonb,
      UNIQUE (table_key, run_id, batch_index)
    );
  END $$`

const SUBMIT = `
  INSERT INTO lakeduel_coordination.requests
    (table_key, run_id, batch_index, request, payload_bytes, writer_pid, writer_start)
  SELECT $1, $2, $3, $4, $5, pid, backend_start FROM pg_stat_activity WHERE pid = pg_backend_pid()
  ON CONFLICT (table_key, run_id, batch_index) DO UPDATE SET request = excluded.request,
    payload_bytes = excluded.payload_bytes, writer_pid = excluded.writer_pid, writer_start = excluded.writer_start,
    outcome = NULL
  RETURNING request_id`

const IS_WAITED_FOR = `EXISTS (SELECT FROM pg_stat_activity AS writer
  WHERE writer.pid = requests.writer_pid AND writer.backend_start = requests.writer_start)`

const REMOVE_ABANDONED = `DELETE FROM lakeduel_coordination.requests WHERE table_key = $1 AND NOT ${IS_WAITED_FOR}`

const WAITING = `
  SELECT request_id, run_id, batch_index, request, payload_bytes FROM lakeduel_coordination.requests
  WHERE table_key = $1 AND outcome IS NULL AND ${IS_WAITED_FOR} ORDER BY request_id LIMIT $2`

const SETTLE = `
  WITH settled AS (
    UPDATE lakeduel_coordination.requests SET outcome = told.outcome
    FROM unnest($1::bigint[], $2::jsonb[]) AS told (request_id, outcome) WHERE requests.request_id = told.request_id
  )
  SELECT pg_notify($3, $4)`

/** Takes what came of a request, or else the table's lock where nobody has it. */
const TAKE_OUTCOME_OR_LEAD = `
  WITH settled AS (
    DELETE FROM lakeduel_coordination.requests WHERE request_id = $1 AND outcome IS NOT NULL RETURNING outcome
  ), own AS (SELECT FROM lakeduel_coordination.requests WHERE request_id = $1)
  SELECT (SELECT outcome FROM settled) AS outcome, EXISTS (SELECT FROM own) AS exists,
    CASE WHEN EXISTS (SELECT FROM settled) THEN false ELSE pg_try_advisory_lock($2) END AS leads`

const requestSchema = z.object({
  batch: stagedBatchSchema,
  mode: applyModeSchema,
  columns: z.array(columnSchema).readonly(),
})

const waitingSchema = z
  .object({
    request_id: z.string(),
    run_id: z.string(),
    batch_index: z.int(),
    request: requestSchema,
    payload_bytes: z.coerce.number(),
  })
  .transform((row) => ({
    requestId: row.request_id,
    tag: { runId: row.run_id, batchIndex: row.batch_index } satisfies CommitTag,
    payloadBytes: row.payload_bytes,
    ...row.request,
  }))
export type WaitingRequest = Readonly<z.output<typeof waitingSchema>>

export const outcomeSchema = z.discriminatedUnion('status', [
  z.strictObject({
    status: z.literal('committed'),
    alreadyApplied: z.boolean(),
    version: z.string(),
    batchesTogether: z.int(),
  }),
  /** The leader could not apply it, and its writer is to try by itself. */
  z.strictObject({ status: z.literal('refused') }),
])
export type Outcome = Readonly<z.infer<typeof outcomeSchema>>

const turnSchema = z.object({ outcome: outcomeSchema.nullable(), exists: z.boolean(), leads: z.boolean() })

/** The requests of one table, as one session sees them. */
export class Requests {
  readonly #session: Session
  readonly #key: LockKey
  /** On which those who wait are told which requests are settled, or that the table's lock is free. */
  readonly channel: string

  constructor(session: Session, key: LockKey) {
    this.#session = session
    this.#key = key
    this.channel = `lakeduel_${BigInt.asUintN(64, key).toString(16)}`
  }

  /** Makes the table where there is none; for a session that has just connected. */
  static async install(session: Session): Promise<void> {
    await session.rows(z.unknown(), INSTALL)
  }

  async listen(): Promise<void> {
    await this.#session.rows(z.unknown(), `LISTEN ${this.channel}`)
  }

  /** Returns the request's id. A request with the tag of an earlier one takes its place. */
  async submit({ batch, mode, columns, tag }: SharedBatch): Promise<string> {
    const payloadBytes = batch.parts.reduce((sum, part) => sum + part.payloadBytes, 0)
    const request = JSON.stringify({ batch, mode, columns })
    const [row] = await this.#session.rows(z.object({ request_id: z.string() }), SUBMIT, [
      this.#key,
      tag.runId,
      tag.batchIndex,
      request,
      payloadBytes,
    ])
    if (row === undefined) throw roleSeesNobody()
    return row.request_id
  }

  /** What came of a request, whether this session has the table's lock now, and whether the request is still there. */
  async takeOutcomeOrLead(requestId: string): Promise<z.output<typeof turnSchema>> {
    const [turn] = await this.#session.rows(turnSchema, TAKE_OUTCOME_OR_LEAD, [requestId, this.#key])
    return turn ?? { outcome: null, exists: false, leads: false }
  }

  /** For the leader: the oldest requests that somebody waits for. */
  async waiting(atMost: number): Promise<readonly WaitingRequest[]> {
    await this.#session.rows(z.unknown(), REMOVE_ABANDONED, [this.#key])
    return this.#session.rows(waitingSchema, WAITING, [this.#key, atMost])
  }

  async settle(outcomes: ReadonlyMap<string, Outcome>): Promise<void> {
    const ids = [...outcomes.keys()]
    const told = [...outcomes.values()].map((outcome) => JSON.stringify(outcome))
    await this.#session.rows(z.unknown(), SETTLE, [ids, told, this.channel, ids.join(' ')])
  }

  /** Tells all that wait that the lock is free. */
  async announceFree(): Promise<void> {
    await this.#session.rows(z.unknown(), 'SELECT pg_notify($1, $2)', [this.channel, FREE])
  }
}

/** The notification that no request is settled by. */
const FREE = 'free'

/** Whether a notification concerns the writer of a request. */
export function concerns(payload: string, requestId: string): boolean {
  return payload === FREE || payload.split(' ').includes(requestId)
}

function roleSeesNobody(): LakeduelError {
  return new LakeduelError(
    'POSTGRES_CREDENTIALS',
    'This role can not see its own connection in pg_stat_activity.',
    {
      remedy: 'Connect without a pooler, and let the role read pg_stat_activity.',
    },
  )
}
