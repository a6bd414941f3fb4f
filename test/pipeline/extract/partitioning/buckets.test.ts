import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { type LakeType, lakeTypeSchema } from '../../../../backends/schema.ts'
import { bucketsOf } from '../../../../pipeline/extract/partitioning/buckets.ts'
import { pythonText } from '../../../../pipeline/extract/partitioning/python-text.ts'
import { DecimalText } from '../../../../pipeline/sources/source.ts'
import type { PartitionSpec } from '../../../../pipeline/state/model.ts'
import golden from '../golden/partitions.json' with { type: 'json' }

/** A value of a row, as JSON writes what it has no form for. */
const cellSchema = z.union([
  z.null(),
  z.boolean(),
  z.number(),
  z.string(),
  z.object({ decimal: z.string() }).transform(({ decimal }) => new DecimalText(decimal)),
  z.object({ bigint: z.string() }).transform(({ bigint }) => BigInt(bigint)),
  z.object({ hex: z.string() }).transform(({ hex }) => Buffer.from(hex, 'hex')),
])
const formats = ['hour', 'day', 'week', 'month'] as const
const vectors = z
  .object({
    texts: z.array(z.tuple([lakeTypeSchema, cellSchema, z.string()])),
    md5: z.array(z.tuple([z.array(lakeTypeSchema), z.array(cellSchema), z.int(), z.string()])),
    numerical: z.array(z.tuple([cellSchema, z.int(), z.string()])),
    datetime: z.array(z.tuple([lakeTypeSchema, cellSchema, z.record(z.enum(formats), z.string())])),
  })
  .parse(golden)

type Partitioned = Exclude<PartitionSpec, { mode: 'none' }>

const INT: LakeType = { kind: 'int64' }
const source = (type: LakeType, ...cells: unknown[]) => ({ type, cells })

describe('buckets are those of the Python code that filled them before', () => {
  test('str() of a value', () => {
    for (const [type, value, text] of vectors.texts)
      expect([value, pythonText(value, type)]).toEqual([value, text])
  })

  test('md5', () => {
    for (const [types, values, count, bucket] of vectors.md5) {
      const names = types.map((_, index) => `c${index}`)
      const columns = new Map(types.map((type, index) => [`c${index}`, source(type, values[index])]))
      expect([values, bucketsOf({ mode: 'md5', columns: names, count }, columns)(0)]).toEqual([
        values,
        bucket,
      ])
    }
  })

  test('numerical', () => {
    for (const [value, size, bucket] of vectors.numerical) {
      const columns = new Map([['key', source(INT, value)]])
      expect([value, size, bucketsOf({ mode: 'numerical', column: 'key', size }, columns)(0)]).toEqual([
        value,
        size,
        bucket,
      ])
    }
  })

  test.each(formats)('datetime by %s', (format) => {
    for (const [type, value, buckets] of vectors.datetime) {
      const columns = new Map([['at', source(type, value)]])
      const bucket = bucketsOf({ mode: 'datetime', column: 'at', format }, columns)(0)
      expect([type.kind, value, bucket]).toEqual([type.kind, value, buckets[format]])
    }
  })

  test('datetime_md5 is the bucket of the date, then that of the rest', () => {
    const columns = new Map([
      ['at', source({ kind: 'timestamptz' }, new Date('2024-05-06T07:08:09Z'))],
      ['id', source(INT, 42)],
    ])
    const spec: Partitioned = { mode: 'datetime_md5', column: 'at', format: 'day', columns: ['id'], count: 7 }
    const rest = bucketsOf({ mode: 'md5', columns: ['id'], count: 7 }, columns)(0)
    expect(bucketsOf(spec, columns)(0)).toBe(`2024-05-06_${rest}`)
  })
})

test('a column that is missing counts as null', () => {
  const none = new Map()
  expect(bucketsOf({ mode: 'numerical', column: 'gone', size: 10 }, none)(0)).toBe('null')
  expect(bucketsOf({ mode: 'datetime', column: 'gone', format: 'day' }, none)(0)).toBe('1970-01')
  const nulls = new Map([['gone', source(INT, null)]])
  const spec: Partitioned = { mode: 'md5', columns: ['gone'], count: 1_000 }
  expect(bucketsOf(spec, none)(0)).toBe(bucketsOf(spec, nulls)(0))
})

test('a Date, its text and what a database writes fall into the same bucket', () => {
  const type: LakeType = { kind: 'timestamptz' }
  const columns = new Map([
    [
      'at',
      source(
        type,
        new Date('2024-12-30T23:59:59.123Z'),
        '2024-12-30T23:59:59.123Z',
        '2024-12-31 01:59:59.123+02',
      ),
    ],
  ])
  const week = bucketsOf({ mode: 'datetime', column: 'at', format: 'week' }, columns)
  expect([week(0), week(1), week(2)]).toEqual(['2025-w01', '2025-w01', '2025-w01'])
  const hash = bucketsOf({ mode: 'md5', columns: ['at'], count: 1_000_000 }, columns)
  expect(new Set([hash(0), hash(1), hash(2)]).size).toBe(1)
})
