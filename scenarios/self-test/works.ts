import { z } from 'zod'
import { postgresEndpointSchema, storageSchema } from '../../platform/endpoints.ts'

const MIB = 2 ** 20

/** Work of a known size. All of it is over when it is done: memory is given back, and files are removed. */
const workSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('wait'), ms: z.number() }),
  /** Allocates memory, writes to all of its pages and holds it for a while. */
  z.strictObject({ kind: z.literal('touch'), bytes: z.int(), holdMs: z.number() }),
  z.strictObject({ kind: z.literal('burn'), cpuSeconds: z.number() }),
  /** Writes a file into the folder that engines spill to and leaves it there for a while. */
  z.strictObject({ kind: z.literal('spill'), bytes: z.int(), holdMs: z.number() }),
  /** `s3-script.ts` */
  z.strictObject({ kind: z.literal('s3') }),
  /** Statements one after another, BEGIN and COMMIT among them. */
  z.strictObject({ kind: z.literal('postgres'), calls: z.int() }),
])
export type Work = z.infer<typeof workSchema>

/** The sizes make 2 % of them much more than what a process does by itself; what is sampled is held for several samples. */
export const WORKS = {
  wait: { kind: 'wait', ms: 3_000 },
  touch: { kind: 'touch', bytes: 300 * MIB, holdMs: 400 },
  burn: { kind: 'burn', cpuSeconds: 1.5 },
  spill: { kind: 'spill', bytes: 64 * MIB, holdMs: 800 },
  s3: { kind: 's3' },
  postgres: { kind: 'postgres', calls: 42 },
} as const satisfies Readonly<Record<string, Work>>

export const workerRequestSchema = z.strictObject({
  works: z.array(workSchema).readonly(),
  storage: storageSchema,
  postgres: postgresEndpointSchema,
  scratchDir: z.string(),
})
export type WorkerRequest = z.infer<typeof workerRequestSchema>

export const workDoneSchema = z.strictObject({
  event: z.literal('done'),
  /** By the clock of the process that worked. */
  wallMs: z.number(),
  /** What getrusage told that process of its own processor time. */
  cpuSeconds: z.number(),
})
export type WorkDone = z.infer<typeof workDoneSchema>
