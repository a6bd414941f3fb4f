/** What was run, on which machine, with which data. */
import { z } from 'zod'
import { armSchema } from './cell.ts'
import { bytesSchema, countSchema, durationSchema, scalarSchema } from './measured.ts'

export const axisSchema = z.strictObject({
  name: z.string().min(1),
  unit: z.string().nullable(),
  description: z.string(),
  /** Those that this run has, in the order in which they are shown. */
  values: z.array(scalarSchema).min(1),
})
export type Axis = Readonly<z.infer<typeof axisSchema>>

const dataSchema = z.strictObject({
  rows: countSchema,
  /** Uncompressed Arrow payload of the table before the cells' work. */
  payloadBytes: bytesSchema,
  /** The table before the cells' work, by format. */
  storedBytes: z.record(z.string(), bytesSchema),
  /** Payload divided by the compressed bytes of its Parquet. */
  compressionRatio: z.number().positive(),
  /** Of the rows that the table should hold in the end; equal data has equal hashes. Null: not known. */
  contentHash: z.string().nullable(),
})

export const scenarioSchema = z.strictObject({
  name: z.string().min(1),
  /** The question that the scenario answers, as one sentence. */
  question: z.string(),
  axes: z.array(axisSchema),
  parameters: z.record(z.string(), scalarSchema),
  /** The cap of the loader's pod, or null. */
  memoryCapBytes: z.int().positive().nullable(),
  /** Repetitions of each of its cells. */
  repeat: z.int().positive(),
  arms: z.array(armSchema),
  /** The datasets that were made, by the key that the scenario gives them; empty when none could be made. */
  data: z.record(z.string(), dataSchema),
})
export type Scenario = Readonly<z.infer<typeof scenarioSchema>>

const linkSchema = z.strictObject({
  latencyMs: durationSchema,
  jitterMs: durationSchema,
  /** Medians of small requests, which took turns; null where nobody measured them. */
  calibration: z
    .strictObject({
      samples: z.int().positive(),
      /** Straight to the server. */
      directMs: durationSchema,
      /** Through a proxy that delays nothing. */
      undelayedMs: durationSchema,
      /** As the cells reach it. */
      proxiedMs: durationSchema,
      /** What the proxy costs by itself, and what the way takes longer in all; below 0 by noise. */
      proxyCostMs: z.number(),
      addedMs: z.number(),
    })
    .nullable(),
})

export const runSchema = z.strictObject({
  id: z.string().min(1),
  startedAt: z.iso.datetime(),
  /** Null while the run goes on, or when it was interrupted. */
  finishedAt: z.iso.datetime().nullable(),
  /** What to type to repeat the run, without secrets. */
  command: z.string(),
  /** What the run was asked for, whole, so that it can be resumed from this file alone. */
  plan: z.strictObject({
    scenarios: z.array(z.string()),
    arms: z.array(z.string()),
    profile: z.string(),
    /** Values that replace those of the profile, by axis. */
    axes: z.record(z.string(), z.array(scalarSchema)),
    /** Null: as many as each scenario's profile says. */
    repeat: z.int().positive().nullable(),
    /** `profile`: what each scenario's profile says; null: none. */
    memoryCap: z.union([z.int().positive(), z.null(), z.literal('profile')]),
    /** Whether the first arm runs twice in each repetition, to tell noise from effects. */
    control: z.boolean(),
    network: z.string(),
    seed: z.int(),
  }),
  storage: z.discriminatedUnion('kind', [
    z.strictObject({
      kind: z.literal('s3'),
      /** `configured`, `docker` or `local`: where the endpoint came from. */
      origin: z.string(),
      version: z.string(),
      /** Whether it is reached over loopback, without the latency of a network. */
      loopback: z.boolean(),
    }),
    z.strictObject({ kind: z.literal('local') }),
  ]),
  /** The latency that a proxy puts on all cells, unless an axis says otherwise; null: none. */
  network: z.strictObject({ profile: z.string(), s3: linkSchema, postgres: linkSchema }).nullable(),
  /** Processes without work, by role (`node`, `sidecar`, `engine`): what each arm's memory stands on. */
  floors: z.record(
    z.string(),
    z.strictObject({ rssBytes: z.array(bytesSchema), startMs: z.array(durationSchema) }),
  ),
})
export type Run = Readonly<z.infer<typeof runSchema>>

export const environmentSchema = z.strictObject({
  cpuModel: z.string(),
  cores: z.int().positive(),
  memoryBytes: z.int().positive(),
  kernel: z.string(),
  /** Null: not known. */
  pageSizeBytes: z.int().positive().nullable(),
  /** What the cgroup of the whole run allows; null: no limit, or not known. */
  limits: z.strictObject({
    memoryBytes: z.int().positive().nullable(),
    cpus: z.number().positive().nullable(),
  }),
  /** How a memory cap is enforced; `none` means observed, not capped, and `reason` says why. */
  pod: z.strictObject({
    mechanism: z.enum(['cgroup-v2', 'cgroup-v1', 'systemd-run', 'docker', 'none']),
    reason: z.string(),
  }),
  git: z.strictObject({ sha: z.string(), dirty: z.boolean() }).nullable(),
  /** By name: `node`, `duckdb`, `ducklake`, `deltalake`, … Null: not used by this run, or it doesn't tell. */
  versions: z.record(z.string(), z.string().nullable()),
})

/** Something that makes the figures less trustworthy, ending with what to try. */
export const warningSchema = z.strictObject({ message: z.string(), remedy: z.string() })
export type Warning = Readonly<z.infer<typeof warningSchema>>
