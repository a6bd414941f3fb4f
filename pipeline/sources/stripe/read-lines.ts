import { z } from 'zod'
import { LakeduelError } from '../../../platform/errors.ts'
import { PageFill } from '../page-fill.ts'
import { rowBytes } from '../row-bytes.ts'
import type { Page, ReadRequest, Row } from '../source.ts'
import type { StripeApi } from './client.ts'
import {
  listedInvoices,
  type ParentInvoice,
  type ParentPosition,
  parentPositionSchema,
  storedInvoices,
} from './invoices.ts'
import { isMissing, listPages, MOST_PER_PAGE } from './list-pages.ts'
import { advance, type Position, positionSchema, type StripeObject } from './position.ts'
import { INVOICE_CREATED, LINE_ITEMS } from './tables.ts'

const cursorSchema = z.strictObject({
  /** Behind the last invoice that was begun. */
  parents: parentPositionSchema,
  /** That invoice, when it may have more lines. */
  within: z.strictObject({ invoice: z.string(), created: z.int(), lines: positionSchema }).nullable(),
  /** Of an incremental read: the newest `created` of an invoice so far. */
  mark: z.int().nullable(),
})
type LinesCursor = Readonly<z.infer<typeof cursorSchema>>

/**
 * Reads the lines of invoices. Most invoices carry all of their lines; only those with more than ten cost a request of their
 * own for each hundred. The invoices come from the stored table where the caller has it, else from Stripe's list.
 *
 * The cursor names the last invoice that was begun and the last of its lines that was read, so that a read that ends
 * anywhere goes on there: first with that invoice, then with the ones behind it. An invoice that was deleted meanwhile has
 * no lines any more and is passed over.
 */
export function readLines(
  api: StripeApi,
  request: ReadRequest,
  lookbackSeconds: number,
): AsyncGenerator<Page> {
  return new LineReader(api, request, lookbackSeconds).pages()
}

class LineReader {
  readonly #api: StripeApi
  readonly #request: ReadRequest
  readonly #lookbackSeconds: number
  readonly #fill: PageFill
  /** Behind the rows that were read so far. */
  #cursor: LinesCursor

  constructor(api: StripeApi, request: ReadRequest, lookbackSeconds: number) {
    this.#api = api
    this.#request = request
    this.#lookbackSeconds = lookbackSeconds
    this.#fill = new PageFill(request.limits)
    this.#cursor = request.resume === null ? beginning(request) : cursorSchema.parse(request.resume)
  }

  async *pages(): AsyncGenerator<Page> {
    const { parents, within } = this.#cursor
    if (within !== null) {
      const { invoice: id, created, lines } = within
      yield* this.#listed({ id, created, lines: null, position: parents }, lines)
    }
    for await (const invoices of this.#invoicesBehind(parents)) {
      for (const invoice of invoices) yield* this.#linesOf(invoice)
      // The next lot of invoices may be a request: what this one cost must be safe before.
      yield this.#page()
    }
  }

  async *#linesOf(invoice: ParentInvoice): AsyncGenerator<Page> {
    if (invoice.lines === null) yield* this.#listed(invoice, null)
    else for (const line of invoice.lines) yield* this.#add(invoice, line)
    this.#moveCursor(invoice, null)
  }

  /** The lines of an invoice that does not carry all of them. */
  async *#listed(invoice: ParentInvoice, start: Position | null): AsyncGenerator<Page> {
    if (!this.#fill.isEmpty) yield this.#page()
    const path = `/v1/invoices/${encodeURIComponent(invoice.id)}/lines`
    try {
      for await (const { rows } of listPages(this.#api, path, { limit: MOST_PER_PAGE }, start)) {
        for (const line of rows) yield* this.#add(invoice, line)
        yield this.#page()
      }
    } catch (error) {
      if (!isMissing(error)) throw error
    }
  }

  *#add(invoice: ParentInvoice, line: StripeObject): Generator<Page> {
    const row: Row = { ...line, invoice_id: invoice.id, [INVOICE_CREATED]: invoice.created }
    const weight = rowBytes(row)
    if (!this.#fill.fits(weight)) yield this.#page()
    this.#fill.add(row, weight)
    const { within } = this.#cursor
    this.#moveCursor(invoice, advance(within?.invoice === invoice.id ? within.lines : null, [line]))
  }

  /** @param lines null behind the last line of the invoice */
  #moveCursor({ id, created, position }: ParentInvoice, lines: Position | null): void {
    const mark = this.#request.incremental === null ? null : Math.max(created, this.#cursor.mark ?? created)
    this.#cursor = {
      parents: position,
      within: lines === null ? null : { invoice: id, created, lines },
      mark,
    }
  }

  #page(): Page {
    const cursor = this.#cursor
    return { ...this.#fill.take(), cursor, ...(cursor.mark === null ? {} : { mark: cursor.mark }) }
  }

  #invoicesBehind(start: ParentPosition): AsyncGenerator<readonly ParentInvoice[]> {
    const { incremental, parents } = this.#request
    if (start.from === 'stripe')
      return listedInvoices(this.#api, incremental, start.position, this.#lookbackSeconds)
    if (parents !== null) return storedInvoices(parents, start.key)
    throw new LakeduelError(
      'USAGE',
      `A read of ${LINE_ITEMS} that began with stored invoices needs them to go on.`,
      {
        remedy: 'Hand over the rows of the stored invoices again, or begin the read anew.',
      },
    )
  }
}

/** Where the invoices come from is decided when a read begins; it goes on with those, whatever is handed over later. */
function beginning({ parents, incremental }: ReadRequest): LinesCursor {
  return {
    parents: parents === null ? { from: 'stripe', position: null } : { from: 'stored', key: null },
    within: null,
    mark: z
      .int()
      .nullable()
      .parse(incremental?.since ?? null),
  }
}
