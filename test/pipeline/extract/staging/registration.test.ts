import { rm } from 'node:fs/promises'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { type Arm, type BackendEnvironment, formatOf } from '../../../../backends/backend.ts'
import { connectBackend } from '../../../../backends/connect.ts'
import { openReader, relationOf } from '../../../../backends/reader.ts'
import type { ColumnSpec } from '../../../../backends/schema.ts'
import { DecimalText, type Row } from '../../../../pipeline/sources/source.ts'
import { within } from '../../../../platform/endpoints.ts'
import { decimal, optional, planOf, SOURCE_TABLE } from '../columns.ts'
import { freshEnvironment, stage } from './staged.ts'

let environment: BackendEnvironment
beforeAll(async () => {
  environment = await freshEnvironment()
})
afterAll(() => rm(environment.scratchDir, { recursive: true }))

const COLUMNS: readonly ColumnSpec[] = [
  { ...optional('id', 'string'), nullable: false },
  optional('flag', 'bool'),
  optional('tiny', 'int8'),
  optional('whole', 'int64'),
  optional('real', 'float64'),
  optional('price', decimal(9, 2)),
  optional('long', decimal(38, 10)),
  optional('day', 'date'),
  optional('clock', 'timestamp'),
  optional('moment', 'timestamptz'),
  optional('note', 'string'),
  optional('document', 'json'),
  optional('tags', { kind: 'list', element: { kind: 'string' } }),
]

const HOUR_MS = 3_600_000

/** Rising values with nulls among them, so that each part and row group has ranges of its own. */
function rowOf(n: number): Row {
  const at = new Date(Date.UTC(2024, 0, 1) + n * HOUR_MS).toISOString()
  const row = {
    flag: n > 40,
    tiny: n - 50,
    whole: BigInt(n - 50) * 10n ** 15n,
    real: n / 8,
    price: new DecimalText(`${n - 50}.25`),
    long: new DecimalText(`${n - 50}999999999999999999.9999999999`),
    day: at.slice(0, 10),
    clock: at.replace('.000Z', '.000001'),
    moment: new Date(at),
    note: n % 10 === 0 ? 'ö'.repeat(40) : `note ${n}`,
    document: { n },
    tags: [`tag ${n}`],
  }
  const nulled = Object.entries(row).filter((_, column) => (n + column) % 7 !== 0)
  return { id: `key ${String(n).padStart(4, '0')}`, ...Object.fromEntries(nulled) }
}

const ROWS = Array.from({ length: 100 }, (_, n) => rowOf(n))

/** Conditions on a value that some row has. */
const conditionArbitrary = fc
  .record({
    column: fc.constantFrom(...COLUMNS.filter(({ name }) => name !== 'tags').map(({ name }) => name)),
    operator: fc.constantFrom('=', '<', '<=', '>', '>=', '<>', 'IS NULL', 'IS NOT NULL'),
    n: fc.integer({ min: 0, max: ROWS.length - 1 }),
  })
  .map(({ column, operator, n }) => {
    const value = ROWS[n]?.[column]
    return operator.startsWith('IS') || value === undefined
      ? `"${column}" ${operator.startsWith('IS') ? operator : 'IS NULL'}`
      : `"${column}" ${operator} ${literalOf(value)}`
  })

function literalOf(value: unknown): string {
  if (value instanceof DecimalText) return value.text
  if (value instanceof Date) return `TIMESTAMPTZ '${value.toISOString()}'`
  if (typeof value === 'object') return `'${JSON.stringify(value)}'`
  if (typeof value === 'string') return `'${value}'`
  return typeof value === 'bigint' ? String(value) : JSON.stringify(value)
}

describe.each<Arm>(['ducklake/merge', 'delta/merge'])('%s', (arm) => {
  test('registers the parts of the row path, and every filter finds what a full scan finds', async () => {
    const name = `registered_${arm.replaceAll(/\W/g, '_')}`
    await using backend = await connectBackend(arm, environment, {})
    const spec = { name, columns: COLUMNS, primaryKey: ['id'], partitionBy: null }
    await using table = await backend.open(spec)
    const plan = planOf({ table: { ...SOURCE_TABLE, columns: COLUMNS } })
    for (const [batchIndex, from] of [0, 50].entries()) {
      const rows = ROWS.slice(from, from + 50)
      const bounds = { partPayloadBytes: 4_000, rowGroupPayloadBytes: 1_500 }
      const { parts } = await stage(plan, rows, within(environment.storage, 'staged/'), bounds)
      const applied = await table.apply({ parts: [...parts] }, 'append', { runId: 'run', batchIndex })
      expect(parts.length).toBeGreaterThan(1)
      expect(applied.engine).toMatchObject({ filesRegistered: parts.length })
    }
    await using reader = await openReader(formatOf(arm), environment)
    const relation = relationOf(formatOf(arm), environment, name)
    await reader.run(`CREATE TEMP TABLE scanned AS FROM ${relation}`)
    const last = `EXPLAIN ANALYZE SELECT count(*) FROM ${relation} WHERE id = 'key 0099'`
    const explained = await reader.query(z.record(z.string(), z.string()), last)
    expect(JSON.stringify(explained)).toMatch(/Total Files Read: 1\D/)
    const count = z.object({ found: z.bigint(), scanned: z.bigint() })
    await fc.assert(
      fc.asyncProperty(conditionArbitrary, async (condition) => {
        const [counts] = await reader.query(
          count,
          `SELECT (SELECT count(*) FROM ${relation} WHERE ${condition}) AS found, (SELECT count(*) FROM scanned WHERE ${condition}) AS scanned`,
        )
        expect(counts?.found).toBe(counts?.scanned)
      }),
      { numRuns: 40 },
    )
  }, 120_000)
})
