/**
 * The one schema of a results file. The runner writes it after every cell, `--resume` reads it back, and every report
 * is a pure function of it. Sizes are bytes, times milliseconds or seconds as the names say, dates ISO 8601 in UTC.
 * It never holds a secret: `command` and `settings` are written without credentials.
 */
import { z } from 'zod'

export const RESULTS_SCHEMA_VERSION = 1

const bytesSchema = z.int().nonnegative()
const countSchema = z.int().nonnegative()
const durationSchema = z.number().nonnegative()
const scalarSchema = z.union([z.string(), z.number(), z.boolean(), z.null()])

export const PHASES = ['read-before', 'apply', 'read-after', 'maintain', 'read-after-maintenance'] as const
export const phaseNameSchema = z.enum(PHASES)
export type PhaseName = z.infer<typeof phaseNameSchema>
/** Where a cell can fail: in one of its phases, or while it is set up, checked or taken down. */
export const failurePhaseSchema = z.enum(['prepare', ...PHASES, 'oracle', 'close'])
export type FailurePhase = z.infer<typeof failurePhaseSchema>

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

/** Null: the scenario has no such phase, or the cell failed before its end. */
export const completedPhasesSchema = z.strictObject({
  'read-before': phaseSchema.nullable(),
  apply: phaseSchema.nullable(),
  'read-after': phaseSchema.nullable(),
  maintain: phaseSchema.nullable(),
  'read-after-maintenance': phaseSchema.nullable(),
})
export type CompletedPhases = Readonly<z.infer<typeof completedPhasesSchema>>

/** What lies below the table's root in the object store or folder. */
export const storedSchema = z.strictObject({ objects: countSchema, bytes: bytesSchema })

export const measurementsSchema = z.strictObject({
  phases: completedPhasesSchema.extend({ apply: phaseSchema }),
  applied: z.strictObject({
    /** Rows of all batches, duplicates of a key included. */
    rows: countSchema,
    /** Uncompressed Arrow payload of those rows. */
    payloadBytes: bytesSchema,
    batches: countSchema,
    commits: countSchema,
    /** Statements tried, conflicts and retries included. */
    attempts: countSchema,
    /** What the engine told of itself, units in the names. */
    engine: z.record(z.string(), z.number()),
  }),
  stored: z.strictObject({
    before: storedSchema,
    afterApply: storedSchema,
    afterMaintenance: storedSchema.nullable(),
  }),
})
export type Measurements = Readonly<z.infer<typeof measurementsSchema>>

/** What a fresh reader found in the table after the run. */
export const oracleSchema = z.strictObject({
  rows: countSchema,
  distinctKeys: countSchema,
  /** Independent of row order. */
  contentHash: z.string(),
  /** Names of all checks that were made. */
  checks: z.array(z.string()).min(1),
})
export const findingSchema = z.strictObject({ check: z.string(), expected: z.string(), actual: z.string() })

const cellIdentity = {
  id: z.string().min(1),
  scenario: z.string(),
  /** backend/strategy, such as `ducklake/merge`. */
  arm: z.string().regex(/^[a-z0-9-]+\/[a-z0-9-]+$/),
  /** From 0. Arms are interleaved: repetition i of one arm is compared with repetition i of another. */
  repetition: countSchema,
  /** Position in the run, from 0. */
  order: countSchema,
  startedAt: z.iso.datetime(),
  /** All settings in force, defaults included. */
  settings: z.record(z.string(), z.unknown()),
}
const failureFields = { phase: failurePhaseSchema, completed: completedPhasesSchema }

export const cellSchema = z.discriminatedUnion('status', [
  z.strictObject({
    ...cellIdentity,
    status: z.literal('passed'),
    measurements: measurementsSchema,
    oracle: oracleSchema,
  }),
  z.strictObject({
    ...cellIdentity,
    status: z.literal('wrong'),
    measurements: measurementsSchema,
    findings: z.array(findingSchema).min(1),
  }),
  z.strictObject({
    ...cellIdentity,
    status: z.literal('oom-killed'),
    ...failureFields,
    peakBytes: bytesSchema,
    capBytes: bytesSchema,
    mechanism: z.string(),
  }),
  z.strictObject({
    ...cellIdentity,
    status: z.literal('engine-out-of-memory'),
    ...failureFields,
    message: z.string(),
  }),
  z.strictObject({ ...cellIdentity, status: z.literal('hang'), ...failureFields, afterMs: durationSchema }),
  z.strictObject({
    ...cellIdentity,
    status: z.literal('failed'),
    ...failureFields,
    code: z.string(),
    message: z.string(),
  }),
  z.strictObject({ ...cellIdentity, status: z.literal('skipped'), reason: z.string() }),
])
export type Cell = Readonly<z.infer<typeof cellSchema>>
export type PassedCell = Extract<Cell, { status: 'passed' }>

export const scenarioSchema = z.strictObject({
  name: z.string().min(1),
  /** The question that the scenario answers, as one sentence. */
  question: z.string(),
  parameters: z.record(z.string(), scalarSchema),
  /** The cap of the loader's pod, or null. */
  memoryCapBytes: z.int().positive().nullable(),
  /** Repetitions of each of its cells. */
  repeat: z.int().positive(),
  /** Null when no data could be made, so that all cells of the scenario failed while preparing. */
  data: z
    .strictObject({
      rows: countSchema,
      /** Uncompressed Arrow payload of the table before the batch. */
      payloadBytes: bytesSchema,
      /** The table before the batch, by format. */
      storedBytes: z.record(z.string(), bytesSchema),
      /** Payload divided by the compressed bytes of its Parquet. */
      compressionRatio: z.number().positive(),
    })
    .nullable(),
})
export type Scenario = Readonly<z.infer<typeof scenarioSchema>>

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
    /** Null: as many as each scenario's profile says. */
    repeat: z.int().positive().nullable(),
    /** `profile`: what each scenario's profile says; null: none. */
    memoryCap: z.union([z.int().positive(), z.null(), z.literal('profile')]),
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
})

export const environmentSchema = z.strictObject({
  cpuModel: z.string(),
  cores: z.int().positive(),
  memoryBytes: z.int().positive(),
  kernel: z.string(),
  /** How a memory cap is enforced; `none` means observed, not capped, and `reason` says why. */
  pod: z.strictObject({
    mechanism: z.enum(['cgroup-v2', 'cgroup-v1', 'systemd-run', 'docker', 'none']),
    reason: z.string(),
  }),
  git: z.strictObject({ sha: z.string(), dirty: z.boolean() }).nullable(),
  /** Null: not used by this run, or it doesn't tell. */
  versions: z.strictObject({
    node: z.string(),
    duckdb: z.string().nullable(),
    ducklake: z.string().nullable(),
    deltalake: z.string().nullable(),
    deltalite: z.string().nullable(),
    python: z.string().nullable(),
    minio: z.string().nullable(),
    postgres: z.string().nullable(),
  }),
})

/** Something that makes the figures less trustworthy, ending with what to try. */
export const warningSchema = z.strictObject({ message: z.string(), remedy: z.string() })
export type Warning = Readonly<z.infer<typeof warningSchema>>

export const resultsSchema = z
  .strictObject({
    schemaVersion: z.literal(RESULTS_SCHEMA_VERSION),
    lakeduelVersion: z.string(),
    run: runSchema,
    environment: environmentSchema,
    scenarios: z.array(scenarioSchema),
    /** In the order in which they ran. */
    cells: z.array(cellSchema),
    /** What the runner noticed while it ran; the reports add their own. */
    warnings: z.array(warningSchema),
  })
  .superRefine((results, context) => {
    const scenarios = new Set(results.scenarios.map((scenario) => scenario.name))
    const seen = new Set<string>()
    for (const [index, cell] of results.cells.entries()) {
      if (!scenarios.has(cell.scenario)) {
        const message = `names the scenario "${cell.scenario}", which the file doesn't describe`
        context.addIssue({ code: 'custom', path: ['cells', index, 'scenario'], message })
      }
      const slot = `${cell.scenario} ${cell.arm} ${cell.repetition}`
      if (seen.has(slot)) {
        const message = `is a second result for ${cell.arm}, repetition ${cell.repetition} of ${cell.scenario}`
        context.addIssue({ code: 'custom', path: ['cells', index], message })
      }
      seen.add(slot)
    }
  })
export type Results = Readonly<z.infer<typeof resultsSchema>>

/** A results file that can't be read. The command line maps it to `RESULTS_CORRUPT`. */
export class ResultsCorruptError extends Error {
  override readonly name = 'ResultsCorruptError'
  readonly code = 'RESULTS_CORRUPT'
  /** The first field that is wrong, as `cells[3].measurements`; empty when the whole text is no JSON object. */
  readonly path: string
  readonly remedy: string

  constructor(path: string, problem: string, remedy: string, cause?: unknown) {
    super(`The results file cannot be read: ${path === '' ? '' : `${path}: `}${problem}.`, { cause })
    this.path = path
    this.remedy = remedy
  }
}

/**
 * Parses the text of a results file.
 * @throws ResultsCorruptError when it is no JSON, of another schema version, or has a wrong field
 */
export function parseResults(text: string): Results {
  const json = parseJson(text)
  const version = z.object({ schemaVersion: z.number() }).safeParse(json)
  if (version.success && version.data.schemaVersion !== RESULTS_SCHEMA_VERSION) {
    throw new ResultsCorruptError(
      'schemaVersion',
      `it is ${version.data.schemaVersion}, and this lakeduel reads version ${RESULTS_SCHEMA_VERSION}`,
      'Use the lakeduel release that wrote the file, or run the benchmark again into another folder.',
    )
  }
  const parsed = resultsSchema.safeParse(json)
  if (parsed.success) return parsed.data
  const issue = parsed.error.issues[0]
  const path = issue === undefined ? '' : z.core.toDotPath(issue.path)
  throw new ResultsCorruptError(
    path,
    issue?.message ?? 'it is no results file',
    'Restore the file from a copy, or start over without --resume into another folder.',
    parsed.error,
  )
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new ResultsCorruptError(
      '',
      `it is no JSON (${cause instanceof Error ? cause.message : String(cause)})`,
      'It may have been cut off while it was written: restore a copy, or start over without --resume.',
      cause,
    )
  }
}
