import { afterAll, beforeAll, expect, test } from 'vitest'
import { z } from 'zod'
import { parseSchema } from '../../../migrate/log/schema.ts'
import { sqlOf } from '../../../migrate/plan/types.ts'
import { readExpression } from '../../../migrate/rewrite/read-expression.ts'
import type { DuckDbSession } from '../../../platform/duckdb/session.ts'
import { plainSession } from '../../scenarios/session.ts'

let session: DuckDbSession
beforeAll(async () => {
  session = await plainSession()
})
afterAll(() => session.close())

const field = (name: string, type: unknown, physicalName = name) => ({
  name,
  type,
  nullable: true,
  metadata: { 'delta.columnMapping.physicalName': physicalName },
})

/** Reads `value` as a column of that Delta type, and gives it back with its type as text. */
async function read(value: string, type: unknown) {
  const schema = JSON.stringify({ type: 'struct', fields: [field('c', type)] })
  const wanted = parseSchema(schema, 'name')[0]?.type
  const [found] = await session.columnsOf(`SELECT ${value} AS c`)
  if (wanted === undefined || found === undefined) throw new Error('nothing to read')
  const expression = readExpression(found.type, wanted, 'c', 'logical', '"c"')
  const rows = await session.query(
    z.object({ text: z.string().nullable(), type: z.string() }),
    `SELECT (${expression})::VARCHAR AS text, typeof(${expression}) AS type FROM (SELECT ${value} AS c)`,
  )
  const plain = (text: string | undefined) => text?.replaceAll(/[" ]/g, '')
  expect(plain(rows[0]?.type)).toBe(plain(sqlOf(wanted, 'logical')))
  return rows[0]?.text
}

const struct = (...fields: readonly object[]) => ({ type: 'struct', fields })
const array = (elementType: unknown) => ({ type: 'array', elementType, containsNull: true })
const map = (valueType: unknown) => ({ type: 'map', keyType: 'string', valueType, valueContainsNull: true })

test.each([
  ['7::TINYINT', 'long', '7'],
  ['7::INTEGER', 'double', '7.0'],
  ['1.5::FLOAT', 'double', '1.5'],
  ['7::INTEGER', 'decimal(10,2)', '7.00'],
  ['1.5::DECIMAL(3,1)', 'decimal(10,3)', '1.500'],
  ["DATE '2024-02-29'", 'timestamp_ntz', '2024-02-29 00:00:00'],
  ["TIMESTAMP '2024-02-29 12:00:00'", 'timestamp', '2024-02-29 12:00:00+00'],
  ["TIMESTAMPTZ '2024-02-29 12:00:00+02'", 'timestamp_ntz', '2024-02-29 10:00:00'],
  ["'é'::BLOB", 'string', 'é'],
  ["encode('é')", 'string', 'é'],
  ["'é'", 'binary', String.raw`\xC3\xA9`],
  ['NULL::INTEGER', 'long', null],
] as const)('%s is read as %s', async (value, type, text) => {
  const literal = value === "'é'::BLOB" ? "encode('é')" : value
  expect(await read(literal, type)).toBe(text)
})

test.each([
  [
    "{'p1': 1::INTEGER, 'gone': 'x'}",
    struct(field('a', 'long', 'p1'), field('new', 'string', 'p2')),
    "{'a': 1, 'new': NULL}",
  ],
  ['NULL::STRUCT(p1 INTEGER)', struct(field('a', 'long', 'p1')), null],
  ["[{'p1': 1::INTEGER}, NULL]", array(struct(field('a', 'long', 'p1'))), "[{'a': 1}, NULL]"],
  [
    "[[{'p1': 1::INTEGER}], NULL, []]",
    array(array(struct(field('a', 'long', 'p1')))),
    "[[{'a': 1}], NULL, []]",
  ],
  [
    "map {'k': {'p1': [1::INTEGER]}, 'n': NULL}",
    map(struct(field('a', array('long'), 'p1'))),
    "{k={'a': [1]}, n=NULL}",
  ],
  ['NULL::MAP(VARCHAR, INTEGER)', map('long'), null],
] as const)('%s is read with the fields of the table', async (value, type, text) => {
  expect(await read(value, type)).toBe(text)
})

test.each([
  ["'12'", 'long'],
  ['1.5::DOUBLE', 'long'],
  ['7::INTEGER', 'string'],
  ['7::INTEGER', struct(field('a', 'long'))],
  ["TIME '12:00:00'", 'timestamp'],
] as const)('%s is not read as %j, since Delta would not', async (value, type) => {
  await expect(read(value, type)).rejects.toMatchObject({ name: 'NoConversion' })
})
