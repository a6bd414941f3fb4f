import { z } from 'zod'
import { postgresEndpointSchema } from '../../../platform/endpoints.ts'

export const microRequestSchema = z.object({
  postgres: postgresEndpointSchema,
  /** Of the state, whose tables the process makes. */
  schema: z.string(),
  /** For each benchmark. */
  timeMs: z.number().positive(),
})
export type MicroRequest = Readonly<z.infer<typeof microRequestSchema>>

export const microMeasuredSchema = z.object({
  name: z.string(),
  medianMs: z.number().nonnegative(),
  p99Ms: z.number().nonnegative(),
  runs: z.int().positive(),
})
export type MicroMeasured = Readonly<z.infer<typeof microMeasuredSchema>>
