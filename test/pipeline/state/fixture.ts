import { randomUUID } from 'node:crypto'
import { inject, onTestFinished } from 'vitest'
import type { BatchToStage } from '../../../pipeline/state/extraction.ts'
import type { Lease } from '../../../pipeline/state/leases.ts'
import type { Run, RunFailure, RunSpec } from '../../../pipeline/state/model.ts'
import { openState, type State, type StateOptions } from '../../../pipeline/state/store.ts'
import type { PostgresEndpoint } from '../../../platform/endpoints.ts'
import { withPostgres } from '../../../platform/services/postgres/client.ts'
import { dropSchemas } from '../../../platform/services/postgres/schemas.ts'

/** A state of the test's own, and what tests do to it besides. */
export interface TestState {
  readonly state: State
  readonly endpoint: PostgresEndpoint
  readonly schema: string
  /** A second process's view of the same state, as far as one process can have it. */
  readonly open: (options?: StateOptions) => Promise<State>
  /** Runs a statement of the test's own, with the tables of the state and of the queue in reach. */
  readonly sql: (text: string, values?: readonly unknown[]) => Promise<readonly Record<string, unknown>[]>
}

/** Short, so that tests needn't wait; long enough for a busy machine. */
export const TEST_OPTIONS = {
  leaseTtlMs: 2_000,
  queue: { claimTtlMs: 2_000, maxAttempts: 3, maxLosses: 3, backoffMs: 50 },
} satisfies StateOptions

export async function openTestState(options: StateOptions = {}): Promise<TestState> {
  const { postgres: endpoint } = inject('services')
  const schema = `state_${randomUUID().slice(0, 8)}`
  onTestFinished(() => dropSchemas(endpoint, [schema, `${schema}_queue`]))
  const open = async (more: StateOptions = {}) => {
    const state = await openState(endpoint, { ...TEST_OPTIONS, ...options, ...more, schema })
    onTestFinished(() => state[Symbol.asyncDispose]())
    return state
  }
  const sql: TestState['sql'] = (text, values = []) =>
    withPostgres(endpoint, async (client) => {
      await client.query(`SET search_path = ${schema}, ${schema}_queue`)
      return (await client.query(text, [...values])).rows
    })
  return { state: await open(), endpoint, schema, open, sql }
}

export function specFor(table: string, overrides: Partial<RunSpec> = {}): RunSpec {
  return {
    source: { name: 'synthetic', config: { seed: 7 }, table },
    destination: { arm: 'ducklake/merge', lake: 'main', table, settings: {} },
    mode: 'incremental',
    applyAs: 'upsert',
    incrementalField: null,
    primaryKey: ['id'],
    partition: null,
    nested: 'json',
    columnTypes: {},
    compaction: { minFiles: null },
    triggers: [],
    ...overrides,
  }
}

export function batchOf(rows: number, overrides: Partial<BatchToStage> = {}): BatchToStage {
  const part = { uri: 's3://bucket/part.parquet', rows, bytes: rows * 10, payloadBytes: rows * 100 }
  const columns = [{ name: 'id', type: { kind: 'int64' }, nullable: false } as const]
  return {
    record: { parts: [part], columns, rows, bytes: part.bytes, payloadBytes: part.payloadBytes },
    cursor: { after: rows },
    mark: null,
    partition: { mode: 'none' },
    spooledThroughPage: 0,
    pages: 1,
    ...overrides,
  }
}

export async function beginRun(state: State, spec: RunSpec): Promise<{ run: Run; lease: Lease }> {
  const { run } = await state.runs.begin(spec, { resume: true })
  return { run, lease: await leaseOf(state, run.runId) }
}

export async function leaseOf(state: State, runId: string): Promise<Lease> {
  const acquired = await state.leases.acquire(runId)
  if (acquired.status !== 'acquired') throw new Error('the lease is held')
  return acquired.lease
}

export const FAILURE: RunFailure = {
  class: 'system',
  code: 'engine_failed',
  message: 'The engine failed.',
  remedy: 'Look at it.',
  bundle: null,
}
