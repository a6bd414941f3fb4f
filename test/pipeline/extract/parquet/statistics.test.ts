import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { z } from 'zod'
import type { LakeType } from '../../../../backends/schema.ts'
import { DecimalText } from '../../../../pipeline/sources/source.ts'
import { decimal } from '../columns.ts'
import { Written } from './written.ts'

let written: Written
beforeAll(async () => {
  written = await Written.open()
})
afterAll(async () => {
  await written[Symbol.asyncDispose]()
})

const wide = fc.oneof(fc.integer().map(BigInt), fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }))
const moment = fc
  .date({ min: new Date('0001-01-02'), max: new Date('9999-12-30'), noInvalidDate: true })
  .map((date) => date.toISOString().replace('Z', '123Z'))
const decimalText = (digits: number, scale: number) =>
  fc.bigInt({ min: -(10n ** BigInt(digits)) + 1n, max: 10n ** BigInt(digits) - 1n }).map((unscaled) => {
    const text = String(unscaled)
      .replace('-', '')
      .padStart(scale + 1, '0')
    const point = text.length - scale
    return new DecimalText(`${unscaled < 0n ? '-' : ''}${text.slice(0, point)}.${text.slice(point)}0`)
  })

/** Types with a range, DuckDB's names of them, and values of any kind. */
const RANGED: readonly (readonly [LakeType, string, fc.Arbitrary<unknown>])[] = [
  [{ kind: 'bool' }, 'BOOLEAN', fc.boolean()],
  [{ kind: 'int8' }, 'TINYINT', fc.integer({ min: -128, max: 127 })],
  [{ kind: 'int16' }, 'SMALLINT', fc.integer({ min: -32_768, max: 32_767 })],
  [{ kind: 'int32' }, 'INTEGER', fc.integer()],
  [{ kind: 'int64' }, 'BIGINT', wide],
  [decimal(9, 2), 'DECIMAL(9,2)', decimalText(9, 2)],
  [decimal(18, 4), 'DECIMAL(18,4)', decimalText(18, 4)],
  [decimal(38, 10), 'DECIMAL(38,10)', fc.oneof(decimalText(38, 10), decimalText(4, 1), decimalText(20, 10))],
  [{ kind: 'date' }, 'DATE', moment.map((text) => text.slice(0, 10))],
  [{ kind: 'timestamp' }, 'TIMESTAMP', moment.map((text) => text.slice(0, -1))],
  [{ kind: 'timestamptz' }, 'TIMESTAMPTZ', moment],
  [{ kind: 'string' }, 'VARCHAR', fc.string({ unit: 'grapheme', maxLength: 12 })],
]

const chunkSchema = z.object({
  nulls: z.string(),
  told: z.string(),
  min: z.string().nullable(),
  max: z.string().nullable(),
  least: z.string().nullable(),
  greatest: z.string().nullable(),
})

/** Of each row group what its footer tells, and what its rows hold. */
function chunks(path: string, type: string, rowsOfGroup: readonly number[]) {
  const starts = rowsOfGroup.map((_, group) =>
    rowsOfGroup.slice(0, group).reduce((sum, rows) => sum + rows, 0),
  )
  const groups = rowsOfGroup.map(
    (rows, group) => `(${group}, ${starts[group]}, ${(starts[group] ?? 0) + rows})`,
  )
  return written.query(
    chunkSchema,
    `WITH row_group(id, from_row, to_row) AS (VALUES ${groups.join()}), held AS (
       SELECT id, count(*) - count(value) AS nulls, min(value) AS least, max(value) AS greatest
       FROM read_parquet('${path}', file_row_number = true) JOIN row_group ON file_row_number >= from_row AND file_row_number < to_row
       GROUP BY id
     ), told AS (
       SELECT row_group_id AS id, stats_null_count AS nulls, CAST(stats_min_value AS ${type}) AS min, CAST(stats_max_value AS ${type}) AS max
       FROM parquet_metadata('${path}')
     )
     SELECT held.nulls::VARCHAR AS nulls, told.nulls::VARCHAR AS told, min::VARCHAR AS min,
       max::VARCHAR AS max, least::VARCHAR AS least, greatest::VARCHAR AS greatest FROM held JOIN told USING (id)`,
  )
}

describe('the footer', () => {
  test.each(RANGED)('tells of %j the nulls and the range of each row group', async (type, name, values) => {
    const cells = fc.array(fc.option(values, { freq: 4 }), { minLength: 1, maxLength: 12 })
    await fc.assert(
      fc.asyncProperty(fc.array(cells, { minLength: 1, maxLength: 3 }), async (groups) => {
        const rows = groups.map(({ length }) => length)
        const path = await written.write([{ name: 'value', type, cells: groups.flat() }], rows)
        const found = await chunks(path, name, rows)
        expect(found).toHaveLength(groups.length)
        for (const { nulls, told, min, max, least, greatest } of found) {
          expect([told, min, max]).toEqual([nulls, least, greatest])
        }
      }),
      { numRuns: 60 },
    )
  })

  test.each([
    [{ kind: 'float64' }, [1.5, null]],
    [{ kind: 'float32' }, [1.5, null]],
    [{ kind: 'json' }, ['{}', null]],
    [{ kind: 'binary' }, [Buffer.from('a'), null]],
    [{ kind: 'string' }, ['a\u0000', null]],
    [{ kind: 'string' }, ['a', 'b'.repeat(65), null]],
  ] as const)('tells of %j no range where readers would disagree on it: %j', async (type, cells) => {
    const path = await written.write([{ name: 'value', type, cells }])
    const statistics = z.object({ min: z.null(), max: z.null(), nulls: z.string() })
    const sql = `SELECT stats_min_value AS min, stats_max_value AS max, stats_null_count AS nulls FROM parquet_metadata('${path}')`
    expect(await written.query(statistics, sql)).toEqual([{ min: null, max: null, nulls: '1' }])
  })

  test('tells nothing of what lies in lists and structs', async () => {
    const type: LakeType = { kind: 'list', element: { kind: 'int32' } }
    const path = await written.write([{ name: 'value', type, cells: [[1, null], null] }])
    const sql = `SELECT stats_null_count AS nulls FROM parquet_metadata('${path}')`
    expect(await written.query(z.object({ nulls: z.null() }), sql)).toEqual([{ nulls: null }])
  })
})

test('long texts that begin alike are told apart where it counts', async () => {
  const long = 'x'.repeat(64)
  const path = await written.write([
    { name: 'value', type: { kind: 'string' }, cells: [`${long}b`, long, `${long}a`, 'xa'] },
    { name: 'short', type: { kind: 'string' }, cells: ['x', long, 'xx', 'x'] },
  ])
  const range = z.object({ name: z.string(), min: z.string().nullable(), max: z.string().nullable() })
  const sql = `SELECT path_in_schema AS name, stats_min_value AS min, stats_max_value AS max FROM parquet_metadata('${path}')`
  expect(await written.query(range, sql)).toEqual([
    { name: 'value', min: null, max: null },
    { name: 'short', min: 'x', max: long },
  ])
})

test('whatever is asked for is found in the row groups that their statistics leave', async () => {
  const literal = (value: unknown, name: string) =>
    `CAST('${String(value instanceof DecimalText ? value.text : value).replaceAll("'", "''")}' AS ${name})`
  const question = fc.constantFrom(...RANGED).chain(([type, name, values]) =>
    fc.record({
      type: fc.constant(type),
      name: fc.constant(name),
      groups: fc.array(fc.array(fc.option(values), { minLength: 1, maxLength: 6 }), {
        minLength: 1,
        maxLength: 4,
      }),
      other: values,
      asked: fc.nat(),
      operator: fc.constantFrom('=', '<>', '<', '<=', '>', '>=', 'IS DISTINCT FROM'),
    }),
  )
  await fc.assert(
    fc.asyncProperty(question, async ({ type, name, groups, other, asked, operator }) => {
      const cells = groups.flat()
      const path = await written.write(
        [{ name: 'value', type, cells }],
        groups.map(({ length }) => length),
      )
      const wanted = literal(cells[asked % cells.length] ?? other, name)
      const count = z.object({ found: z.string(), scanned: z.string() })
      const [counts] = await written.query(
        count,
        `WITH rows AS MATERIALIZED (FROM read_parquet('${path}'))
         SELECT (SELECT count(*) FROM read_parquet('${path}') WHERE value ${operator} ${wanted}) AS found,
           (SELECT count(*) FILTER (value ${operator} ${wanted}) FROM rows) AS scanned`,
      )
      expect(counts?.found).toBe(counts?.scanned)
    }),
    { numRuns: 200 },
  )
})
