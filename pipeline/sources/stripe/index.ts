/**
 * Stripe, by its official client. Words:
 * - a **list** is one of the API's collections, newest object first, at most a hundred at a time;
 * - a **position** is the last object of a list that was read (`position.ts`); the cursor of a page holds one;
 * - the **lines** of an invoice are a list below it, of which the invoice itself carries the first ten.
 *
 * A full read goes from the newest object to the oldest; what is created meanwhile is left to the next read. An incremental
 * read takes what was created since the mark. Neither sees that an older object changed or was deleted: for that, read in
 * full, or set `lookbackSeconds`.
 */
import type { SourceDefinition } from '../source.ts'
import { configSchema } from './config.ts'
import { stripeErrors } from './errors.ts'
import { StripeSource } from './source.ts'

export const stripe: SourceDefinition<typeof configSchema> = {
  name: 'stripe',
  title: 'Stripe',
  version: 1,
  config: configSchema,
  secretKeys: ['apiKey'],
  errors: stripeErrors,
  opaqueCursors: true,
  open: (config) => Promise.resolve(new StripeSource(config)),
}
