/** `lakeduel.gate.json`: what a gate holds results against. */
import { z } from 'zod'
import { parseBytes, parseDuration, parseShare } from '../amounts.ts'

const patternSchema = z.string().min(1).default('*')
/** Which figures are meant; `*` stands for any text. */
const target = { scenario: patternSchema, arm: patternSchema, metric: z.string().min(1) }

const shareSchema = z
  .union([z.number().min(0).max(1), z.string()])
  .transform((given) => (typeof given === 'number' ? given : parseShare(given)))
  .refine((share) => share !== null, 'Give a share below 1, as "5%" or 0.05.')
  .transform((share) => share ?? 0)

const limitSchema = z
  .union([z.number().nonnegative(), z.string()])
  .refine(
    (limit) => typeof limit === 'number' || parseBytes(limit) !== null || parseDuration(limit) !== null,
    'Give a number in the unit of the metric, or a size or time with its unit, as "512 MiB" or "2.5 s".',
  )

export const budgetSchema = z.union([
  /** `≤ 512 MiB` */
  z.strictObject({ ...target, atMost: limitSchema }),
  /** `≥ 5,000 rows/s` */
  z.strictObject({ ...target, atLeast: limitSchema }),
  /** At most so much worse than the baseline, in place of the tolerance of its kind. */
  z.strictObject({ ...target, worseBy: shareSchema }),
  /** At most so many times the same figure of another arm at the same point. */
  z.strictObject({ ...target, atMostTimes: z.number().positive(), of: z.string().min(1) }),
])
export type Budget = Readonly<z.infer<typeof budgetSchema>>

export const acknowledgementSchema = z.strictObject({
  ...target,
  /** Why it is let pass, for whoever reads the gate later. */
  reason: z.string().trim().min(1),
  /** The last day on which it holds, in UTC. */
  until: z.iso.date(),
  /** It holds no further than so much worse than the baseline; without it, however much. */
  worseBy: shareSchema.optional(),
})
export type Acknowledgement = Readonly<z.infer<typeof acknowledgementSchema>>

export const gateConfigSchema = z.strictObject({
  $schema: z.string().optional(),
  /** A results file, relative to the configuration; without one only budgets within a run are held. */
  baseline: z.string().min(1).optional(),
  /** Which metrics are held against the baseline; fewer need fewer pairs. */
  metrics: z.array(z.string().min(1)).min(1).default(['*']),
  /** By kind, in place of the defaults. */
  tolerances: z
    .strictObject({
      time: shareSchema,
      cpu: shareSchema,
      memory: shareSchema,
      rate: shareSchema,
      count: shareSchema,
    })
    .partial()
    .default({}),
  budgets: z.array(budgetSchema).default([]),
  acknowledged: z.array(acknowledgementSchema).default([]),
  /** Whether what stays open fails the gate with 3, or is only told. */
  inconclusive: z.enum(['fail', 'tell']).default('fail'),
})
export type GateConfig = Readonly<z.infer<typeof gateConfigSchema>>
