import { describe, expect, test } from 'vitest'
import type { LakeType } from '../../../../backends/schema.ts'
import { typeName } from '../../../../backends/widening.ts'
import { DecimalText } from '../../../../pipeline/sources/source.ts'
import { decimal, optional, planOf, settle } from '../columns.ts'

const text = (digits: string) => new DecimalText(digits)

/** What a column of these values becomes, or null where it stays out of the schema. */
function inferred(values: readonly unknown[], nested: 'json' | 'struct' = 'json'): string | null {
  const plan = planOf({ nested })
  settle(
    plan,
    values.map((value) => ({ id: 1, value })),
  )
  const column = plan.columns.find(({ name }) => name === 'value')
  return column === undefined ? null : typeName(column.type)
}

describe('the type of a column without a declared one', () => {
  test.each<[string, readonly unknown[], string | null]>([
    ['nothing but nulls', [null, undefined], null],
    ['NaN and infinity alone', [Number.NaN, Number.POSITIVE_INFINITY], null],
    ['booleans', [true, null], 'bool'],
    ['whole numbers', [1, -1, 2 ** 53], 'int64'],
    ['negative zero', [-0], 'int64'],
    ['bigints of 64 bits', [2n ** 63n - 1n, -(2n ** 63n), 1], 'int64'],
    ['bigints of more', [2n ** 63n, 1], 'decimal(38,0)'],
    ['bigints of 38 digits', [10n ** 38n - 1n], 'decimal(38,0)'],
    ['bigints of 39 digits', [10n ** 38n], 'string'],
    ['fractions', [0.5, null, Number.NaN], 'float64'],
    ['fractions and whole numbers', [0.5, 3, 2 ** 53 - 1], 'float64'],
    ['whole numbers beyond 64 bits', [1e20], 'float64'],
    ['decimals', [text('12.50'), text('NaN')], 'decimal(28,9)'],
    ['decimals and whole numbers', [text('0.1'), 5, 7n], 'decimal(28,9)'],
    ['long decimals', [text(`${'9'.repeat(25)}.5`), text('0.0000000000001')], 'decimal(38,13)'],
    [
      'decimals of 38 digits with 10 behind the point',
      [text(`${'9'.repeat(28)}.${'9'.repeat(10)}`)],
      'decimal(38,10)',
    ],
    ['decimals of 39 digits', [text(`${'9'.repeat(20)}.${'9'.repeat(19)}`)], 'string'],
    ['decimals and fractions', [text('0.1'), 0.1], 'string'],
    ['texts', ['a', ''], 'string'],
    ['texts that look like something else', ['1', 'true', '2024-01-01T00:00:00Z'], 'string'],
    ['Dates', [new Date(0), new Date(Number.NaN)], 'timestamptz'],
    ['bytes', [Buffer.from('a'), new Uint8Array(0)], 'binary'],
    ['objects', [{ a: 1 }, {}], 'json'],
    ['lists', [[1], []], 'json'],
    ['objects and lists', [{ a: 1 }, [1]], 'json'],
    ['lists and scalars', [[1], 2, 'a'], 'json'],
    ['objects and numbers', [{ a: 1 }, 2], 'json'],
    ['objects and texts', [{ a: 1 }, 'a'], 'string'],
    ['texts and numbers', ['a', 1, true, 0.5], 'string'],
    ['Dates and texts', [new Date(0), 'a'], 'string'],
    ['booleans and numbers', [true, 1], 'string'],
  ])('%s', (_, values, type) => {
    expect(inferred(values)).toBe(type)
  })

  test.each<[string, readonly unknown[], string]>([
    [
      'objects',
      [
        { a: 1, b: { c: 'x' } },
        { a: 2, d: [0.5] },
      ],
      'struct<a: int64, b: struct<c: string>, d: list<float64>>',
    ],
    ['lists', [[1, null], []], 'list<int64>'],
    ['objects whose fields have different types', [{ a: 1 }, { a: 'x' }], 'struct<a: string>'],
    ['objects without a value', [{}, { a: null }], 'json'],
    ['objects whose names differ by case', [{ a: 1, A: 2 }], 'json'],
    [
      'objects with hundreds of fields',
      [Object.fromEntries(Array.from({ length: 257 }, (_, i) => [`k${i}`, i]))],
      'json',
    ],
    ['empty lists', [[]], 'json'],
    ['objects and lists', [{ a: 1 }, [1]], 'json'],
  ])('%s as structs and lists', (_, values, type) => {
    expect(inferred(values, 'struct')).toBe(type)
  })

  test('whole numbers beyond 2^53 beside fractions have none', () => {
    expect(() => inferred([2 ** 53, 0.5])).toThrow(
      'Column value holds whole numbers beyond ±2^53 beside fractions.',
    )
    expect(() => inferred([2n ** 60n, 0.5])).toThrow('beyond ±2^53')
  })

  test('is settled once a value shows up, whatever that is', () => {
    const plan = planOf()
    settle(plan, [{ id: 1, value: null }])
    expect(plan.columns.map(({ name }) => name)).toEqual(['id'])
    settle(plan, [{ id: 2, value: 'a' }])
    expect(plan.columns).toEqual([optional('id', 'int64'), optional('value', 'string')])
  })

  test('is text where a table has no value at all', () => {
    const plan = planOf()
    settle(plan, [{ a: null, b: null }])
    expect(plan.columns).toEqual([optional('a', 'string'), optional('b', 'string')])
    expect(() => settle(planOf(), [{}])).toThrow('no columns')
  })
})

const conflict = (stored: string, incoming: string) =>
  new RegExp(`is ${stored} in the lake, and ${incoming} comes`, 's')

describe('a stored column', () => {
  const WHOLE = { kind: 'int64' } as const

  test.each<[LakeType, unknown]>([
    [{ kind: 'float64' }, 3],
    [{ kind: 'float32' }, 16_777_216],
    [{ kind: 'int16' }, -32_768],
    [decimal(28, 9), 12],
    [decimal(5, 2), text('999.99')],
    [decimal(5, 2), text('0.000')],
    [{ kind: 'string' }, 3],
    [{ kind: 'string' }, { a: 1 }],
    [{ kind: 'json' }, 'a'],
    [{ kind: 'json' }, [1]],
    [{ kind: 'date' }, null],
    [{ kind: 'bool' }, false],
    [{ kind: 'list', element: WHOLE }, [1, null]],
    [{ kind: 'struct', fields: [optional('a', 'float64'), optional('b', 'string')] }, { a: 1 }],
  ])('of %j takes %j and stays', (type, value) => {
    const plan = planOf({ known: [optional('value', type)] })
    settle(plan, [{ value }])
    expect(plan.columns).toEqual([optional('value', type)])
  })

  test.each<[LakeType, unknown, string]>([
    [{ kind: 'int16' }, 40_000, 'int64'],
    [WHOLE, 2n ** 64n, 'decimal(38,0)'],
    [WHOLE, text('1.5'), 'decimal(28,9)'],
    [decimal(5, 2), text('0.125'), 'decimal(28,9)'],
    [decimal(28, 9), text('0.0000000000001'), 'decimal(32,13)'],
    [{ kind: 'int32' }, 0.5, 'float64'],
    [{ kind: 'float32' }, 0.1, 'float64'],
    [{ kind: 'list', element: { kind: 'int32' } }, [2 ** 40], 'list<int64>'],
  ])('of %j widens for %s to %s', (type, value, wider) => {
    const plan = planOf({ known: [optional('value', type)], nested: 'struct' })
    settle(plan, [{ value }])
    expect(plan.columns.map((column) => typeName(column.type))).toEqual([wider])
  })

  test.each<[LakeType, unknown, RegExp]>([
    [WHOLE, 0.5, conflict('int64', 'float64')],
    [WHOLE, 'a', conflict('int64', 'string')],
    [{ kind: 'float64' }, 2 ** 53, conflict('float64', 'int64')],
    [{ kind: 'bool' }, 1, conflict('bool', 'int64')],
    [{ kind: 'timestamptz' }, '2024-01-01', conflict('timestamptz', 'string')],
    [{ kind: 'timestamp' }, new Date(0), conflict('timestamp', 'timestamptz')],
    [{ kind: 'binary' }, 'a', conflict('binary', 'string')],
    [decimal(38, 0), text('0.5'), conflict('decimal\\(38,0\\)', 'decimal\\(28,9\\)')],
    [decimal(28, 9), 0.5, conflict('decimal\\(28,9\\)', 'float64')],
  ])('of %j refuses %s, and tells both types and the way out', (type, value, message) => {
    const plan = planOf({ known: [optional('value', type)] })
    const failing = () => settle(plan, [{ value }])
    expect(failing).toThrow(message)
    expect(failing).toThrow(
      expect.objectContaining({
        code: 'SCHEMA_MISMATCH',
        remedy: expect.stringContaining('--column value=string'),
      }),
    )
  })
})
