/** What a cell measured: phases of a pod, named metrics with their unit and direction, and series of points. */
import { z } from 'zod'

export const bytesSchema = z.int().nonnegative()
export const countSchema = z.int().nonnegative()
export const durationSchema = z.number().nonnegative()

/** A value of an axis. */
export const scalarSchema = z.union([z.string(), z.number(), z.boolean()])
export type Scalar = z.infer<typeof scalarSchema>

export const UNITS = [
  'ms',
  's',
  'bytes',
  'GiB·s',
  'count',
  'ratio',
  'per-commit',
  'per-row',
  'rows/s',
  'bytes/s',
  'commits/s',
  'requests/s',
] as const
export type Unit = (typeof UNITS)[number]

/** What the statistics and the tolerances of a comparison depend on: counts repeat exactly, the others are noisy. */
export const METRIC_KINDS = ['time', 'cpu', 'memory', 'count', 'rate'] as const
export const metricSchema = z.strictObject({
  value: z.number(),
  unit: z.enum(UNITS),
  /** Which direction is an improvement; `neither` describes the work, as the rows of a batch do. */
  better: z.enum(['lower', 'higher', 'neither']),
  kind: z.enum(METRIC_KINDS),
  /** What `value` was computed from, in the same unit, in the order of time. */
  samples: z.array(z.number()).optional(),
})
export type Metric = Readonly<z.infer<typeof metricSchema>>

const seriesAxisSchema = z.strictObject({ name: z.string(), unit: z.string() })
/** One value over another, such as memory over time, in the order in which it was measured. */
export const seriesSchema = z.strictObject({
  x: seriesAxisSchema,
  y: seriesAxisSchema,
  points: z.array(z.tuple([z.number(), z.number()])),
})
export type Series = Readonly<z.infer<typeof seriesSchema>>

/** Memory of a pod in one phase. `floorBytes + addedBytes` is the peak that the reports speak of. */
export const memorySchema = z.strictObject({
  /** What the pod's processes held before the engine did any work: Node, the interpreter, loaded libraries. */
  floorBytes: bytesSchema,
  /** The same by role, so that Node and the interpreter are told apart. */
  floorBytesByRole: z.record(z.string(), bytesSchema),
  /** VmHWM of each process of the pod by role (`loader`, `sidecar`), zeroed when the phase began. */
  vmHwmBytes: z.record(z.string(), bytesSchema),
  /** The sum of `vmHwmBytes` less the floor, and not below 0: what the engine added in this phase. */
  addedBytes: bytesSchema,
  /** The cgroup's peak counts page cache, too; null where the pod has no cgroup. */
  cgroupPeakBytes: bytesSchema.nullable(),
  anonPeakBytes: bytesSchema.nullable(),
  /** The largest sampled sum of PSS over the pod; null where it can't be read. */
  pssPeakBytes: bytesSchema.nullable(),
})

const unavailableSchema = z.strictObject({ status: z.literal('unavailable'), reason: z.string() })

/** Requests as the object store counted them. `bytesIn` is what the store received, `bytesOut` what it sent. */
export const s3UsageSchema = z.discriminatedUnion('status', [
  z.strictObject({
    status: z.literal('measured'),
    byOperation: z.record(z.string(), countSchema),
    requests: countSchema,
    bytesIn: bytesSchema,
    bytesOut: bytesSchema,
  }),
  unavailableSchema,
])

export const postgresUsageSchema = z.discriminatedUnion('status', [
  z.strictObject({ status: z.literal('measured'), calls: countSchema, walBytes: bytesSchema }),
  unavailableSchema,
])

export const phaseSchema = z.strictObject({
  wallMs: durationSchema,
  /** Of all processes of the pod, user and system. */
  cpuSeconds: durationSchema,
  memory: memorySchema,
  s3: s3UsageSchema,
  postgres: postgresUsageSchema,
  /** The most that lay in the folder that engines spill to; null where nobody watched it. */
  spillPeakBytes: bytesSchema.nullable(),
  /** CPU that the orchestrator itself used meanwhile; it must stay below 2 % of the wall time. */
  orchestratorCpuSeconds: durationSchema,
})
export type Phase = Readonly<z.infer<typeof phaseSchema>>
