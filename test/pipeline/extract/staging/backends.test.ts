import { rm } from 'node:fs/promises'
import { execa } from 'execa'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { type Arm, type BackendEnvironment, formatOf } from '../../../../backends/backend.ts'
import { connectBackend } from '../../../../backends/connect.ts'
import { openReader, relationOf } from '../../../../backends/reader.ts'
import type { ColumnSpec } from '../../../../backends/schema.ts'
import type { TablePlan } from '../../../../pipeline/extract/table-plan.ts'
import { DecimalText, type Row } from '../../../../pipeline/sources/source.ts'
import { within } from '../../../../platform/endpoints.ts'
import { decimal, optional, planOf, SOURCE_TABLE } from '../columns.ts'
import { freshEnvironment, stage } from './staged.ts'

let environment: BackendEnvironment
beforeAll(async () => {
  environment = await freshEnvironment()
})
afterAll(() => rm(environment.scratchDir, { recursive: true }))

const staged = (plan: TablePlan, rows: readonly Row[]) =>
  stage(plan, rows, within(environment.storage, 'staged/'))

const COLUMNS: readonly ColumnSpec[] = [
  { ...optional('id', 'int64'), nullable: false },
  optional('flag', 'bool'),
  optional('tiny', 'int8'),
  optional('small', 'int16'),
  optional('whole', 'int32'),
  optional('half', 'float32'),
  optional('real', 'float64'),
  optional('price', decimal(9, 2)),
  optional('long', decimal(38, 10)),
  optional('day', 'date'),
  optional('clock', 'timestamp'),
  optional('moment', 'timestamptz'),
  optional('text', 'string'),
  optional('document', 'json'),
  optional('bytes', 'binary'),
  optional('tags', { kind: 'list', element: { kind: 'string' } }),
  optional('inner', {
    kind: 'struct',
    fields: [optional('a', 'int32'), optional('b', { kind: 'list', element: { kind: 'float64' } })],
  }),
]

const declaredPlan = () => planOf({ table: { ...SOURCE_TABLE, columns: COLUMNS } })

function rowOf(id: number): Row {
  return {
    id,
    flag: id % 2 === 0,
    tiny: -id,
    small: 1_000,
    whole: -70_000,
    half: 0.5,
    real: 0.1,
    price: new DecimalText('12.50'),
    long: new DecimalText('-9999999999999999999999999999.9999999999'),
    day: '2024-02-29',
    clock: '2024-03-31 02:30:00.000001',
    moment: new Date('2024-05-06T07:08:09.123Z'),
    text: `ü漢😀 ${id}`,
    document: { b: [1, null], a: 'x' },
    bytes: Buffer.from([0, 255]),
    tags: ['a', null, ''],
    inner: { a: 1, b: [0.5, null] },
  }
}
const nullRow = (id: number): Row => ({ id })

/** What every reader must see of {@link rowOf}. */
const expectedOf = (id: number) => ({
  id: String(id),
  flag: String(id % 2 === 0),
  tiny: String(-id),
  small: '1000',
  whole: '-70000',
  half: '0.5',
  real: '0.1',
  price: '12.50',
  long: '-9999999999999999999999999999.9999999999',
  day: '2024-02-29',
  clock: '2024-03-31 02:30:00.000001',
  moment: '2024-05-06 07:08:09.123+00',
  text: `ü漢😀 ${id}`,
  document: '{"b":[1,null],"a":"x"}',
  bytes: String.raw`\x00\xFF`,
  tags: "[a, NULL, '']",
  inner: "{'a': 1, 'b': [0.5, NULL]}",
})
const expectedNull = (id: number) =>
  Object.fromEntries(COLUMNS.map(({ name }) => [name, name === 'id' ? String(id) : null]))

async function storedRows(arm: Arm, table: string): Promise<readonly unknown[]> {
  await using reader = await openReader(formatOf(arm), environment)
  const columns = COLUMNS.map(({ name }) => `CAST("${name}" AS VARCHAR) AS "${name}"`).join(', ')
  const rows = z.record(z.string(), z.string().nullable())
  return await reader.query(
    rows,
    `SELECT ${columns} FROM ${relationOf(formatOf(arm), environment, table)} ORDER BY CAST(id AS BIGINT)`,
  )
}

describe.each(['ducklake/merge', 'ducklake/delete-insert', 'delta/merge', 'delta/deltalite'] as const)(
  '%s',
  (arm) => {
    test('takes parts with every type of the lake, appended and upserted', async () => {
      if (environment.sidecar?.unavailable[arm.split('/')[1] ?? ''] !== undefined) return
      const plan = declaredPlan()
      await using backend = await connectBackend(arm, environment, {})
      const name = `things_${arm.replaceAll(/\W/g, '_')}`
      await using table = await backend.open({
        name,
        columns: COLUMNS,
        primaryKey: ['id'],
        partitionBy: null,
      })
      const first = await staged(plan, [rowOf(1), nullRow(2), nullRow(3)])
      await table.apply({ parts: [...first.parts] }, 'append', { runId: 'run', batchIndex: 0 })
      const second = await staged(plan, [rowOf(3), nullRow(4), nullRow(1), rowOf(4)])
      await table.apply({ parts: [...second.parts] }, 'upsert', { runId: 'run', batchIndex: 1 })
      expect(await storedRows(arm, name)).toEqual([
        expectedNull(1),
        expectedNull(2),
        expectedOf(3),
        expectedOf(4),
      ])
    })

    test('takes a partitioned table of rows without declared types, and its later, wider columns', async () => {
      const plan = planOf({ partition: null, primaryKey: ['id'], mode: 'incremental' })
      await using backend = await connectBackend(arm, environment, {})
      const first = await staged(plan, [{ id: 1, createdAt: new Date('2024-05-06T00:00:00Z'), n: 1 }])
      const name = `events_${arm.replaceAll(/\W/g, '_')}`
      const partitionBy = 'lakeduel_partition'
      await using table = await backend.open({
        name,
        columns: first.columns,
        primaryKey: ['id'],
        partitionBy,
      })
      await table.apply({ parts: [...first.parts] }, 'upsert', { runId: 'run', batchIndex: 0 })
      const second = await staged(plan, [
        { id: 2, createdAt: new Date('2024-12-30T00:00:00Z'), n: 2n ** 64n, more: 'x' },
      ])
      await table.evolve(second.columns)
      await table.apply({ parts: [...second.parts] }, 'upsert', { runId: 'run', batchIndex: 1 })
      await using reader = await openReader(formatOf(arm), environment)
      const rows = await reader.query(
        z.record(z.string(), z.unknown()),
        `SELECT id, CAST(n AS VARCHAR) AS n, more, lakeduel_partition AS bucket FROM ${relationOf(formatOf(arm), environment, name)} ORDER BY id`,
      )
      expect(rows).toEqual([
        { id: 1n, n: '1', more: null, bucket: '2024-w19' },
        { id: 2n, n: '18446744073709551616', more: 'x', bucket: '2025-w01' },
      ])
    })
  },
)

const PYTHON = `
import json, sys, pyarrow.parquet as pq
table = pq.read_table(sys.argv[1])
rows = [{k: None if v is None else str(v) for k, v in row.items()} for row in table.to_pylist()]
print(json.dumps({"schema": {f.name: str(f.type) for f in table.schema}, "rows": rows}))
`

test('pyarrow reads the types and values of a part', async () => {
  const storage = { kind: 'local', root: environment.scratchDir } as const
  const { parts } = await stage(declaredPlan(), [rowOf(1), nullRow(2)], storage)
  const { stdout } = await execa(environment.sidecar?.python ?? 'python3', [
    '-c',
    PYTHON,
    parts[0]?.uri ?? '',
  ])
  const { schema, rows } = z
    .object({ schema: z.record(z.string(), z.string()), rows: z.array(z.record(z.string(), z.unknown())) })
    .parse(JSON.parse(stdout))
  expect(schema).toEqual({
    id: 'int64',
    flag: 'bool',
    tiny: 'int8',
    small: 'int16',
    whole: 'int32',
    half: 'float',
    real: 'double',
    price: 'decimal128(9, 2)',
    long: 'decimal128(38, 10)',
    day: 'date32[day]',
    clock: 'timestamp[us]',
    moment: 'timestamp[us, tz=UTC]',
    text: 'string',
    document: 'string',
    bytes: 'binary',
    tags: 'list<element: string>',
    inner: 'struct<a: int32, b: list<element: double>>',
  })
  expect(rows[0]).toMatchObject({
    long: '-9999999999999999999999999999.9999999999',
    clock: '2024-03-31 02:30:00.000001',
    moment: '2024-05-06 07:08:09.123000+00:00',
    bytes: String.raw`b'\x00\xff'`,
    tags: "['a', None, '']",
    inner: "{'a': 1, 'b': [0.5, None]}",
  })
  expect(rows[1]).toEqual(expectedNull(2))
})
