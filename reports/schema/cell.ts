/** One cell: an arm at one point of a scenario's axes, once. */
import { z } from 'zod'
import {
  bytesSchema,
  countSchema,
  durationSchema,
  metricSchema,
  phaseSchema,
  type Scalar,
  scalarSchema,
  seriesSchema,
} from './measured.ts'

/** One value for each axis of the scenario; empty when it has none. */
export const pointSchema = z.record(z.string(), scalarSchema)
export type Point = Readonly<Record<string, Scalar>>

/** What a fresh reader found in the table after the run. */
export const oracleSchema = z.strictObject({
  rows: countSchema,
  distinctKeys: countSchema,
  /** Independent of row order. */
  contentHash: z.string(),
  /** Names of all checks that were made. */
  checks: z.array(z.string()).min(1),
})
export type Oracle = Readonly<z.infer<typeof oracleSchema>>

export const findingSchema = z.strictObject({
  check: z.string(),
  expected: z.string(),
  actual: z.string(),
  /** The known fault of an engine that it matches, as `duckdb/ducklake#123`. */
  issue: z.string().optional(),
})
export type Finding = Readonly<z.infer<typeof findingSchema>>

export const armSchema = z.string().regex(/^[a-z0-9-]+\/[a-z0-9-]+$/)

const identity = {
  /** As `cellId` makes it. */
  id: z.string().min(1),
  scenario: z.string(),
  /** backend/strategy, such as `ducklake/merge`. */
  arm: armSchema,
  point: pointSchema,
  /** From 0. Arms are interleaved: repetition i of one arm is compared with repetition i of another. */
  repetition: countSchema,
  /** A second run of the same cell, which is compared with the first one alone: their difference is noise. */
  control: z.boolean(),
  /** Position in the run, from 0. */
  order: countSchema,
  startedAt: z.iso.datetime(),
  /** All settings in force, defaults included. */
  settings: z.record(z.string(), z.unknown()),
}

const phasesSchema = z.record(z.string(), phaseSchema)
const figures = {
  metrics: z.record(z.string(), metricSchema),
  series: z.record(z.string(), seriesSchema),
}
/** By name, in the order of time. */
const whole = { phases: phasesSchema, ...figures, oracle: oracleSchema.nullable() }
/** What ended early: in which phase, those that came to their end before, and what was measured so far. */
const early = { phase: z.string(), completed: phasesSchema, ...figures }

export const cellSchema = z.discriminatedUnion('status', [
  z.strictObject({ ...identity, status: z.literal('ok'), ...whole }),
  z.strictObject({
    ...identity,
    status: z.literal('wrong-data'),
    ...whole,
    findings: z.array(findingSchema).min(1),
  }),
  z.strictObject({
    ...identity,
    status: z.literal('oom-killed'),
    ...early,
    peakBytes: bytesSchema,
    capBytes: bytesSchema,
    mechanism: z.string(),
  }),
  /** The engine, or what it stands on, gave up: `ENGINE_OUT_OF_MEMORY` is its own memory limit, not the pod's. */
  z.strictObject({
    ...identity,
    status: z.literal('engine-error'),
    ...early,
    code: z.string(),
    message: z.string(),
  }),
  z.strictObject({ ...identity, status: z.literal('hang'), ...early, afterMs: durationSchema }),
  z.strictObject({ ...identity, status: z.literal('skipped'), reason: z.string() }),
])
export type Cell = Readonly<z.infer<typeof cellSchema>>
export type SoundCell = Extract<Cell, { status: 'ok' }>

/** `scenario/arm/axis=value,axis=value/repetition`, without the third part when the scenario has no axis. */
export function cellId(
  cell: Pick<Cell, 'scenario' | 'arm' | 'repetition' | 'control'> & { readonly point: Point },
): string {
  const point = Object.entries(cell.point).map(([axis, value]) => `${axis}=${value}`)
  const parts = [cell.scenario, cell.arm, ...(point.length === 0 ? [] : [point.join(',')])]
  return [...parts, `${cell.repetition}${cell.control ? '-control' : ''}`].join('/')
}
