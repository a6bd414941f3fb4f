import { z } from 'zod'

const outcomeSchema = z.object({
  status: z.string(),
  tables: z.array(
    z.object({
      table: z.string(),
      runId: z.string(),
      status: z.string(),
      counts: z.record(z.string(), z.number()),
      failure: z
        .object({ class: z.string(), code: z.string(), message: z.string(), bundle: z.string().nullable() })
        .nullable(),
    }),
  ),
  deaths: z.int(),
})

/** What `lakeduel sync --json` tells in the end. */
export function outcomeOf({ stdout, stderr }: { readonly stdout: string; readonly stderr: string }) {
  if (stdout === '') throw new Error(stderr)
  return outcomeSchema.parse(JSON.parse(stdout))
}
