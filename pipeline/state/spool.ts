import { z } from 'zod'
import type { Cursor, JsonValue } from '../sources/source.ts'
import type { Database } from './database.ts'
import { type Lease, refusal } from './leases.ts'
import { jsonText } from './run-row.ts'

/** A page that was read and is in no batch yet. */
export interface SpooledPage {
  /** Rises by one from page to page of a run, from 1 on, over all of its extractors. */
  readonly pageNo: number
  /** As `spool-codec.ts` encodes them. */
  readonly rows: Buffer
  readonly cursor: Cursor
  /** The high-water mark as of this page; null where it has none. */
  readonly mark: JsonValue
}

/** Pages that are fetched at once; they are as large as the source makes them. */
const PAGES_AT_ONCE = 4

/** One statement, so that a page costs one round trip and no wait for the disk: see `tables.ts` for what that risks. */
const WRITE = `
  WITH held AS (
    SELECT set_config('synchronous_commit', 'off', true) FROM leases WHERE run_id = $1 AND token = $2 FOR SHARE
  )
  INSERT INTO spool (run_id, page_no, rows, cursor, mark) SELECT $1, $3, $4, $5, $6 FROM held
  ON CONFLICT (run_id, page_no) DO UPDATE SET rows = excluded.rows, cursor = excluded.cursor, mark = excluded.mark`

/** @throws LakeduelError `LEASE_LOST`, `RUN_NOT_ACTIVE` */
export async function spoolPage(database: Database, lease: Lease, page: SpooledPage): Promise<void> {
  const { pageNo, rows, cursor, mark } = page
  const values = [lease.runId, lease.token, pageNo, rows, jsonText(cursor), jsonText(mark)]
  if ((await database.runPrepared('spool page', WRITE, values)) === 0) throw await refusal(database, lease)
}

const pageRowSchema = z.object({
  page_no: z.int(),
  rows: z.instanceof(Buffer),
  cursor: z.json(),
  mark: z.json(),
})

/**
 * The pages after the last batch, in order. They end where a page is missing, which is read again with all after it:
 * Postgres may have lost some in a crash of its own.
 */
export async function* loadSpool(database: Database, runId: string): AsyncGenerator<SpooledPage> {
  const [run] = await database.rows(
    z.object({ spooled_through: z.int() }),
    'SELECT spooled_through FROM runs WHERE run_id = $1',
    [runId],
  )
  let through = run?.spooled_through ?? 0
  for (;;) {
    const pages = await database.rows(
      pageRowSchema,
      'SELECT page_no, rows, cursor, mark FROM spool WHERE run_id = $1 AND page_no > $2 ORDER BY page_no LIMIT $3',
      [runId, through, PAGES_AT_ONCE],
    )
    for (const { page_no: pageNo, rows, cursor, mark } of pages) {
      if (pageNo !== through + 1) return
      yield { pageNo, rows, cursor, mark }
      through = pageNo
    }
    if (pages.length === 0) return
  }
}

/** The number of the last page that is in a batch or in the spool. */
export async function safePages(database: Database, runId: string): Promise<number> {
  const [row] = await database.rows(
    z.object({ page_no: z.int() }),
    `SELECT greatest(spooled_through, (SELECT max(page_no) FROM spool WHERE spool.run_id = runs.run_id)) AS page_no
     FROM runs WHERE run_id = $1`,
    [runId],
  )
  return row?.page_no ?? 0
}
