import { z } from 'zod'
import { PageFill } from '../page-fill.ts'
import { rowBytes } from '../row-bytes.ts'
import type { Answer, JsonValue, Page, ReadLimits, ReadRequest } from '../source.ts'
import type { Query, StripeApi } from './client.ts'
import { type ListPage, listPages, MOST_PER_PAGE } from './list-pages.ts'
import { advance, createdOf, type Position, positionSchema, type StripeObject } from './position.ts'
import { CREATED, type ListedTable } from './tables.ts'

const cursorSchema = z.strictObject({
  position: positionSchema,
  /** Of an incremental read: the newest `created` that its first page had. */
  mark: z.int().nullable(),
})

/**
 * Reads the objects of a list, newest first: all of them, or those that were created at the mark or later.
 *
 * The mark's own second is read again, `created[gte]` and not `created[gt]`: more objects may have been created in it after
 * it was read. Those that were there already are upserted onto themselves.
 *
 * The new mark is the newest `created` of the first page. All pages repeat it, and it holds when the last of them is
 * stored: until then what lies between it and the old one is not known.
 */
export async function* readList(
  api: StripeApi,
  table: ListedTable,
  { incremental, resume, limits }: ReadRequest,
  lookbackSeconds: number,
): AsyncGenerator<Page> {
  const start = resume === null ? null : cursorSchema.parse(resume)
  const query = {
    ...table.query,
    ...createdSince(incremental, lookbackSeconds),
    limit: Math.min(MOST_PER_PAGE, limits.pageRows),
  }
  let mark = start?.mark ?? null
  for await (const page of listPages(api, table.path, query, start?.position ?? null)) {
    if (incremental !== null) mark ??= newMark(incremental.since, page.rows)
    for (const part of withinBytes(page, limits))
      yield {
        rows: part.rows,
        cursor: { position: part.position, mark },
        bytes: part.bytes,
        ...(part.answer === null ? {} : { answer: part.answer }),
        ...(mark === null ? {} : { mark }),
      }
  }
}

/** The bound of `created` that an incremental read gives to a list; none for all other reads. */
export function createdSince(incremental: ReadRequest['incremental'], lookbackSeconds: number): Query {
  if (incremental === null || incremental.since === null) return {}
  return { [`${CREATED}[gte]`]: z.int().parse(incremental.since) - lookbackSeconds }
}

/** The mark after the first page, newest first; never below the one before, whose own objects may have been deleted. */
export function newMark(since: JsonValue | null, rows: readonly StripeObject[]): number | null {
  const newest = rows[0] === undefined ? null : createdOf(rows[0])
  return since === null || newest === null ? newest : Math.max(newest, z.int().parse(since))
}

interface PagePart {
  readonly rows: readonly StripeObject[]
  readonly position: Position | null
  readonly bytes: number
  /** Null where it holds other rows, too. */
  readonly answer: Answer | null
}

/**
 * A page of Stripe's is some hundred kilobytes and passes as it is; only when it is larger than what may be held are its rows
 * weighed and given out in parts.
 */
function* withinBytes({ rows, bytes, before, answer }: ListPage, limits: ReadLimits): Generator<PagePart> {
  if (bytes <= limits.readAheadBytes) return yield { rows, bytes, position: advance(before, rows), answer }
  const fill = new PageFill(limits)
  let position = before
  let taken = 0
  const take = (): PagePart => {
    const { rows: filled, bytes: weight } = fill.take()
    const part = rows.slice(taken, taken + filled.length)
    taken += part.length
    position = advance(position, part)
    return { rows: part, position, bytes: weight, answer: null }
  }
  for (const row of rows) {
    const weight = rowBytes(row)
    if (!fill.fits(weight)) yield take()
    fill.add(row, weight)
  }
  if (!fill.isEmpty) yield take()
}
