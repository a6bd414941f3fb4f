import { z } from 'zod'

export const configSchema = z.strictObject({
  /** A secret or a restricted key; a restricted one needs to read the tables that are synced, and nothing else. */
  apiKey: z
    .string()
    .regex(/^\S+$/, 'an API key has no spaces in it')
    .refine(
      (key) => !key.startsWith('pk_'),
      'a publishable key (pk_…) cannot read; give a secret or restricted one',
    ),
  /** Where the API is, when not at Stripe: scheme, host and port. */
  baseUrl: z
    .url({ protocol: /^https?$/ })
    .refine((url) => new URL(url).pathname === '/', 'give the scheme, the host and the port only')
    .optional(),
  /** Null asks for the version that the client was made for; rows then have that version's shape. */
  apiVersion: z.string().nullable().default(null),
  /** The connected account to read, `acct_…`, when not the key's own. */
  account: z.string().nullable().default(null),
  /**
   * How often a request is tried again when Stripe is busy or away. Waits are those that Stripe asks for, as long as they
   * are short; longer ones end the read with a failure of class `source`, and the sync waits instead.
   */
  maxNetworkRetries: z.int().min(0).max(20).default(4),
  /** How long one request may take. */
  timeoutMs: z.int().positive().default(80_000),
  /**
   * How far before the mark an incremental read begins. Objects change after they are created, which no read by `created`
   * sees; this reads those of so many seconds again.
   */
  lookbackSeconds: z.int().nonnegative().default(0),
})
export type StripeConfig = Readonly<z.output<typeof configSchema>>
