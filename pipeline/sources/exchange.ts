import { z } from 'zod'

/**
 * What was asked of the other side and what it answered, for a failure bundle. A source's own errors may carry one as their
 * property `exchange`; only its shape is kept, but for the route, the status and the headers that say nothing of anyone.
 */
export interface Exchange {
  /** Without values, as the source's author writes it: `GET /v1/invoices/:id/lines`. */
  readonly route: string
  /** Null where no answer came. */
  readonly status: number | null
  readonly query?: unknown
  readonly requestHeaders?: Readonly<Record<string, string>>
  readonly responseHeaders?: Readonly<Record<string, string>>
  readonly body?: unknown
}

const headersSchema = z.record(z.string(), z.string())
const exchangeSchema = z.object({
  route: z.string(),
  status: z.int().nullable(),
  query: z.unknown().optional(),
  requestHeaders: headersSchema.optional(),
  responseHeaders: headersSchema.optional(),
  body: z.unknown().optional(),
})
const carrierSchema = z.looseObject({ exchange: exchangeSchema })

/** What the error, or one that caused it, tells of its exchange; null where none does. */
export function exchangeOf(chain: readonly unknown[]): z.infer<typeof exchangeSchema> | null {
  for (const error of chain) {
    const carrier = carrierSchema.safeParse(error)
    if (carrier.success) return carrier.data.exchange
  }
  return null
}
