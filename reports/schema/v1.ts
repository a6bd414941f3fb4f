/** Results of the first schema version, which knew batch scenarios without axes only, and how they read today. */
import { z } from 'zod'
import type { Cell } from './cell.ts'
import { bytesSchema, countSchema, durationSchema, type Metric, type Phase, phaseSchema } from './measured.ts'
import type { Results } from './results.ts'
import { environmentSchema, runSchema, scenarioSchema, warningSchema } from './run.ts'

const PHASES = ['read-before', 'apply', 'read-after', 'maintain', 'read-after-maintenance'] as const
const phasesSchema = z.strictObject({
  'read-before': phaseSchema.nullable(),
  apply: phaseSchema.nullable(),
  'read-after': phaseSchema.nullable(),
  maintain: phaseSchema.nullable(),
  'read-after-maintenance': phaseSchema.nullable(),
})
const storedSchema = z.strictObject({ objects: countSchema, bytes: bytesSchema })
const measurementsSchema = z.strictObject({
  phases: phasesSchema,
  applied: z.strictObject({
    rows: countSchema,
    payloadBytes: bytesSchema,
    batches: countSchema,
    commits: countSchema,
    attempts: countSchema,
    engine: z.record(z.string(), z.number()),
  }),
  stored: z.strictObject({
    before: storedSchema,
    afterApply: storedSchema,
    afterMaintenance: storedSchema.nullable(),
  }),
})
type Measurements = z.infer<typeof measurementsSchema>

const identity = {
  id: z.string().min(1),
  scenario: z.string(),
  arm: z.string(),
  repetition: countSchema,
  order: countSchema,
  startedAt: z.iso.datetime(),
  settings: z.record(z.string(), z.unknown()),
}
const failure = { phase: z.string(), completed: phasesSchema }
const oracleSchema = z.strictObject({
  rows: countSchema,
  distinctKeys: countSchema,
  contentHash: z.string(),
  checks: z.array(z.string()).min(1),
})
const findingSchema = z.strictObject({ check: z.string(), expected: z.string(), actual: z.string() })

const cellSchema = z.discriminatedUnion('status', [
  z.strictObject({
    ...identity,
    status: z.literal('passed'),
    measurements: measurementsSchema,
    oracle: oracleSchema,
  }),
  z.strictObject({
    ...identity,
    status: z.literal('wrong'),
    measurements: measurementsSchema,
    findings: z.array(findingSchema).min(1),
  }),
  z.strictObject({
    ...identity,
    status: z.literal('oom-killed'),
    ...failure,
    peakBytes: bytesSchema,
    capBytes: bytesSchema,
    mechanism: z.string(),
  }),
  z.strictObject({
    ...identity,
    status: z.literal('engine-out-of-memory'),
    ...failure,
    message: z.string(),
  }),
  z.strictObject({ ...identity, status: z.literal('hang'), ...failure, afterMs: durationSchema }),
  z.strictObject({
    ...identity,
    status: z.literal('failed'),
    ...failure,
    code: z.string(),
    message: z.string(),
  }),
  z.strictObject({ ...identity, status: z.literal('skipped'), reason: z.string() }),
])
type CellV1 = z.infer<typeof cellSchema>

const scenarioV1Schema = scenarioSchema.omit({ axes: true, arms: true, data: true }).extend({
  parameters: z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()])),
  data: z
    .strictObject({
      rows: countSchema,
      payloadBytes: bytesSchema,
      storedBytes: z.record(z.string(), bytesSchema),
      compressionRatio: z.number().positive(),
    })
    .nullable(),
})
type ScenarioV1 = z.infer<typeof scenarioV1Schema>

export const resultsV1Schema = z.strictObject({
  schemaVersion: z.literal(1),
  lakeduelVersion: z.string(),
  run: runSchema.omit({ network: true, floors: true }).extend({
    plan: runSchema.shape.plan.omit({ axes: true, control: true, network: true }),
  }),
  environment: environmentSchema.omit({ pageSizeBytes: true, limits: true }),
  scenarios: z.array(scenarioV1Schema),
  cells: z.array(cellSchema),
  warnings: z.array(warningSchema),
})
type ResultsV1 = z.infer<typeof resultsV1Schema>

export function migrateV1({ run, environment, scenarios, cells, ...rest }: ResultsV1): Results {
  return {
    ...rest,
    schemaVersion: 2,
    run: {
      ...run,
      plan: { ...run.plan, axes: {}, control: false, network: 'loopback' },
      network: null,
      floors: {},
    },
    environment: { ...environment, pageSizeBytes: null, limits: { memoryBytes: null, cpus: null } },
    scenarios: scenarios.map((scenario) => migrateScenario(scenario, run.plan.arms)),
    cells: cells.map(migrateCell),
  }
}

function migrateScenario(
  { data, parameters, ...scenario }: ScenarioV1,
  arms: string[],
): Results['scenarios'][number] {
  const known = Object.entries(parameters).flatMap(([name, value]) => (value === null ? [] : [[name, value]]))
  return {
    ...scenario,
    parameters: Object.fromEntries(known),
    axes: [],
    arms,
    data: data === null ? {} : { table: { ...data, contentHash: null } },
  }
}

function migrateCell(cell: CellV1): Cell {
  const { id, scenario, arm, repetition, order, startedAt, settings } = cell
  const same = { id, scenario, arm, point: {}, repetition, control: false, order, startedAt, settings }
  switch (cell.status) {
    case 'passed':
      return { ...same, status: 'ok', ...figuresOf(cell.measurements), oracle: cell.oracle }
    case 'wrong': {
      const figures = figuresOf(cell.measurements)
      return { ...same, status: 'wrong-data', ...figures, oracle: null, findings: cell.findings }
    }
    case 'skipped':
      return { ...same, status: 'skipped', reason: cell.reason }
    default:
      return { ...same, ...endOf(cell), ...earlyFiguresOf(cell) }
  }
}

type FailedV1 = Exclude<CellV1, { status: 'passed' | 'wrong' | 'skipped' }>

function endOf(cell: FailedV1) {
  switch (cell.status) {
    case 'oom-killed': {
      const { status, peakBytes, capBytes, mechanism } = cell
      return { status, peakBytes, capBytes, mechanism }
    }
    case 'engine-out-of-memory':
      return { status: 'engine-error', code: 'ENGINE_OUT_OF_MEMORY', message: cell.message } as const
    case 'failed':
      return { status: 'engine-error', code: cell.code, message: cell.message } as const
    case 'hang':
      return { status: cell.status, afterMs: cell.afterMs }
    default:
      return cell satisfies never
  }
}

function earlyFiguresOf({ phase, completed }: FailedV1) {
  return { phase, completed: measuredOf(completed), metrics: {}, series: {} }
}

function figuresOf(measurements: Measurements) {
  return { phases: measuredOf(measurements.phases), metrics: metricsOf(measurements), series: {} }
}

function measuredOf(phases: z.infer<typeof phasesSchema>): Record<string, Phase> {
  const measured = PHASES.flatMap((name) => {
    const phase = phases[name]
    return phase === null ? [] : [[name, phase] as const]
  })
  return Object.fromEntries(measured)
}

function metricsOf({ applied, stored }: Measurements): Record<string, Metric> {
  const { before, afterApply: after, afterMaintenance: maintained } = stored
  const engine = Object.entries(applied.engine).map(([name, value]) => [
    `engine.${name}`,
    work(value, 'count'),
  ])
  return {
    rowsApplied: work(applied.rows, 'count'),
    payloadBytes: work(applied.payloadBytes, 'bytes'),
    batches: work(applied.batches, 'count'),
    commits: work(applied.commits, 'count'),
    attempts: cost(applied.attempts, 'count'),
    storedBytesBefore: work(before.bytes, 'bytes'),
    storedObjectsBefore: work(before.objects, 'count'),
    storedBytesAfter: cost(after.bytes, 'bytes'),
    storedObjectsAfter: cost(after.objects, 'count'),
    ...(maintained !== null && {
      storedBytesMaintained: cost(maintained.bytes, 'bytes'),
      storedObjectsMaintained: cost(maintained.objects, 'count'),
    }),
    bytesWritten: cost(Math.max(0, after.bytes - before.bytes), 'bytes'),
    ...Object.fromEntries(engine),
  }
}

function work(value: number, unit: Metric['unit']): Metric {
  return { value, unit, better: 'neither', kind: 'count' }
}

function cost(value: number, unit: Metric['unit']): Metric {
  return { value, unit, better: 'lower', kind: 'count' }
}
