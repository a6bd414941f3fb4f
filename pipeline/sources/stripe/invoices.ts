import { z } from 'zod'
import { type JsonValue, type ParentRows, type ReadRequest, type Row } from '../source.ts'
import type { StripeApi } from './client.ts'
import { listPages, MOST_PER_PAGE } from './list-pages.ts'
import { advance, type Position, positionSchema, type StripeObject } from './position.ts'
import { createdSince } from './read-list.ts'

/** How many parents of the stored table are taken at a time; after each lot the cursor moves, even without lines. */
const STORED_LOT = 500

/** Where a read of the parents stands: behind the last one whose lines are all read. Null is the beginning. */
export const parentPositionSchema = z.discriminatedUnion('from', [
  z.strictObject({ from: z.literal('stripe'), position: positionSchema.nullable() }),
  z.strictObject({ from: z.literal('stored'), key: z.json().nullable() }),
])
export type ParentPosition = Readonly<z.infer<typeof parentPositionSchema>>

/** An invoice whose lines are to be read. */
export interface ParentInvoice {
  readonly id: string
  readonly created: number
  /** All its lines, where the invoice carries them all; else null, and they have to be listed. */
  readonly lines: readonly StripeObject[] | null
  /** Behind this invoice. */
  readonly position: ParentPosition
}

const linesSchema = z.object({
  data: z.array(z.custom<StripeObject>((line) => lineSchema.safeParse(line).success)),
  has_more: z.boolean(),
})
const lineSchema = z.looseObject({ id: z.string() })

/** The lines are an object as Stripe sends it; in the stored table they may be its JSON. */
const invoiceSchema = z.object({
  id: z.string(),
  created: z.union([z.int(), z.bigint().transform(Number)]),
  lines: z.unknown().optional(),
})

/** Invoices from Stripe's list, a page at a time, newest first. */
export async function* listedInvoices(
  api: StripeApi,
  incremental: ReadRequest['incremental'],
  start: Position | null,
  lookbackSeconds: number,
): AsyncGenerator<readonly ParentInvoice[]> {
  const query = { ...createdSince(incremental, lookbackSeconds), limit: MOST_PER_PAGE }
  for await (const { rows, before } of listPages(api, '/v1/invoices', query, start)) {
    let position = before
    yield rows.map((row) => {
      position = advance(position, [row])
      return parentInvoice(row, { from: 'stripe', position })
    })
  }
}

/** Invoices from the stored table, in its order. */
export async function* storedInvoices(
  parents: ParentRows,
  start: JsonValue | null,
): AsyncGenerator<readonly ParentInvoice[]> {
  let lot: ParentInvoice[] = []
  for await (const { key, row } of parents.read(start)) {
    lot.push(parentInvoice(row, { from: 'stored', key: z.json().parse(key) }))
    if (lot.length < STORED_LOT) continue
    yield lot
    lot = []
  }
  if (lot.length > 0) yield lot
}

function parentInvoice(row: Row, position: ParentPosition): ParentInvoice {
  const { id, created, lines } = invoiceSchema.parse(row)
  return { id, created, lines: allLines(lines), position }
}

function allLines(lines: unknown): readonly StripeObject[] | null {
  const parsed = linesSchema.safeParse(typeof lines === 'string' ? JSON.parse(lines) : lines)
  return parsed.success && !parsed.data.has_more ? parsed.data.data : null
}
