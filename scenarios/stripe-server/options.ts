import { z } from 'zod'
import { RESOURCES, type Resource } from './resources.ts'

/** The key that is valid where no keys are given. It is no secret: it opens nothing but this server. */
export const DEFAULT_API_KEY = 'sk_test_lakeduel0000000000000000'

/** Lines have indexes too, 256 for each invoice, and ids hold 32 bits. */
const MOST_OBJECTS = 2 ** 24

const DEFAULT_COUNTS: Readonly<Record<Resource, number>> = {
  customers: 1000,
  products: 12,
  prices: 30,
  subscriptions: 1500,
  charges: 5000,
  refunds: 250,
  balance_transactions: 5000,
  invoices: 5000,
  credit_notes: 120,
}

/** 1 November 2026, 00:00 UTC: fixed, so that what is served depends on the options alone. */
const DEFAULT_NOW_SECONDS = Date.UTC(2026, 10, 1) / 1000

export const outageSchema = z.strictObject({
  /** Requests that still pass, counted from when the faults were set. */
  after: z.int().nonnegative(),
  /** Requests that fail then. */
  requests: z.int().positive(),
  /** When given, the outage comes again after so many requests. */
  every: z.int().positive().optional(),
  how: z.discriminatedUnion('kind', [
    z.strictObject({
      kind: z.literal('rate-limit'),
      retryAfterSeconds: z.number().nonnegative().nullable(),
    }),
    z.strictObject({ kind: z.literal('server-error'), statusCode: z.int().min(500).max(599) }),
    /** The connection is closed before an answer, or in the middle of one. */
    z.strictObject({ kind: z.literal('disconnect'), when: z.enum(['before-answer', 'mid-answer']) }),
  ]),
})
export type Outage = Readonly<z.infer<typeof outageSchema>>

const faultsSchema = z.strictObject({
  /** Time that passes before each answer. */
  latencyMs: z.number().nonnegative().default(0),
  outages: z.array(outageSchema).default([]),
})
export type Faults = Readonly<z.infer<typeof faultsSchema>>

const grantSchema = z.strictObject({
  /** Null for a secret key, which may do all; else what a restricted key may read. */
  allowed: z.array(z.enum(RESOURCES)).nullable(),
  /** Requests after which the key is revoked, as if someone had rolled it in the middle of a sync. */
  revokedAfterRequests: z.int().nonnegative().optional(),
})
export type KeyGrant = Readonly<z.infer<typeof grantSchema>>

const countSchema = z.int().nonnegative().max(MOST_OBJECTS)

export const stripeServerOptionsSchema = z.strictObject({
  seed: z.int().nonnegative().default(1),
  /** Objects of each kind at the start; the missing ones have a default of some thousands. */
  counts: z
    .partialRecord(z.enum(RESOURCES), countSchema)
    .default({})
    .transform((counts) => ({ ...DEFAULT_COUNTS, ...counts })),
  nowSeconds: z.int().positive().default(DEFAULT_NOW_SECONDS),
  /** The objects of the start were created within so many days before `nowSeconds`. */
  historyDays: z.int().positive().default(730),
  keys: z.record(z.string(), grantSchema).default({ [DEFAULT_API_KEY]: { allowed: null } }),
  faults: faultsSchema.default({ latencyMs: 0, outages: [] }),
  /** Null takes any free one. */
  port: z.int().positive().max(65_535).nullable().default(null),
})
/** JSON, so that the server can be started in a process of its own. */
export type StripeServerOptions = z.input<typeof stripeServerOptionsSchema>

export function parseFaults(faults: z.input<typeof faultsSchema>): Faults {
  return faultsSchema.parse(faults)
}
export type FaultsInput = z.input<typeof faultsSchema>
