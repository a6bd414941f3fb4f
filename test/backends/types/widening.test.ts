import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { LakeType } from '../../../backends/schema.ts'
import { lakeTypeSchema } from '../../../backends/schema.ts'
import { holds, typeName, widened } from '../../../backends/widening.ts'

const scalar = (kind: 'int8' | 'int16' | 'int32' | 'int64' | 'float32' | 'float64'): LakeType => ({ kind })
const decimal = (precision: number, scale: number): LakeType => ({ kind: 'decimal', precision, scale })
const STRING: LakeType = { kind: 'string' }
const JSON_TEXT: LakeType = { kind: 'json' }
const list = (element: LakeType): LakeType => ({ kind: 'list', element })
const struct = (types: Readonly<Record<string, LakeType>>): LakeType => ({
  kind: 'struct',
  fields: Object.entries(types).map(([name, type]) => ({ name, type, nullable: true })),
})

const leafTypes: fc.Arbitrary<LakeType> = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(...(['int8', 'int16', 'int32', 'int64'] as const)).map(scalar) },
  { weight: 2, arbitrary: fc.constantFrom(...(['float32', 'float64'] as const)).map(scalar) },
  {
    weight: 3,
    arbitrary: fc
      .tuple(fc.integer({ min: 1, max: 38 }), fc.nat(38))
      .map(([precision, scale]) => decimal(precision, Math.min(precision, scale))),
  },
  {
    weight: 2,
    arbitrary: fc.constantFrom<LakeType>(
      STRING,
      JSON_TEXT,
      ...(['bool', 'date', 'timestamp', 'timestamptz', 'binary'] as const).map((kind) => ({ kind })),
    ),
  },
)

/** A few shapes over the leaves, so that two of them often have a common type. */
const lakeTypes: fc.Arbitrary<LakeType> = fc.oneof(
  { weight: 4, arbitrary: leafTypes },
  { weight: 1, arbitrary: leafTypes.map(list) },
  {
    weight: 1,
    arbitrary: fc
      .tuple(leafTypes, leafTypes, fc.boolean())
      .map(([a, b, swapped]) => struct(swapped ? { b, a } : { a, b })),
  },
)

/** Structs are equal by name, while `widened` keeps the order of the stored one. */
function unordered(type: LakeType | null): unknown {
  if (type?.kind === 'list') return { list: unordered(type.element) }
  if (type?.kind !== 'struct') return type
  return { struct: Object.fromEntries(type.fields.map((field) => [field.name, unordered(field.type)])) }
}

describe('the widening lattice', () => {
  test('what is widened is a type of the lake, and holds both', () => {
    fc.assert(
      fc.property(lakeTypes, lakeTypes, (stored, incoming) => {
        const type = widened(stored, incoming)
        if (type === null) return
        expect(lakeTypeSchema.safeParse(type).success).toBe(true)
        expect([holds(type, stored), holds(type, incoming)]).toEqual([true, true])
      }),
    )
  })

  test('nothing that holds both is narrower than what is widened', () => {
    fc.assert(
      fc.property(lakeTypes, lakeTypes, lakeTypes, (stored, incoming, other) => {
        if (!holds(other, stored) || !holds(other, incoming)) return
        const type = widened(stored, incoming)
        expect(type !== null && holds(other, type)).toBe(true)
      }),
      { numRuns: 2_000 },
    )
  })

  test('neither the order of two types nor the grouping of three matters', () => {
    fc.assert(
      fc.property(lakeTypes, lakeTypes, lakeTypes, (one, two, three) => {
        expect(unordered(widened(one, two))).toEqual(unordered(widened(two, one)))
        const [left, right] = [widened(one, two), widened(two, three)]
        const leftFirst = left === null ? null : widened(left, three)
        const rightFirst = right === null ? null : widened(one, right)
        expect(unordered(leftFirst)).toEqual(unordered(rightFirst))
      }),
      { numRuns: 2_000 },
    )
  })

  test('a type is its own widening', () => {
    fc.assert(
      fc.property(lakeTypes, (type) => {
        expect(widened(type, type)).toEqual(type)
      }),
    )
  })

  test.each<[LakeType, LakeType, LakeType | null]>([
    [scalar('int8'), scalar('int64'), scalar('int64')],
    [scalar('int32'), scalar('float32'), scalar('float64')],
    [scalar('int16'), scalar('float32'), scalar('float32')],
    [scalar('int64'), scalar('float64'), null],
    [scalar('int64'), decimal(5, 2), decimal(21, 2)],
    [scalar('int64'), decimal(38, 20), null],
    [scalar('int8'), decimal(38, 2), decimal(38, 2)],
    [decimal(10, 0), decimal(6, 6), decimal(16, 6)],
    [decimal(38, 0), decimal(2, 1), null],
    [decimal(10, 2), scalar('float64'), null],
    [JSON_TEXT, STRING, STRING],
    [JSON_TEXT, JSON_TEXT, JSON_TEXT],
    [STRING, scalar('int32'), null],
    [{ kind: 'date' }, { kind: 'timestamp' }, null],
    [{ kind: 'timestamp' }, { kind: 'timestamptz' }, null],
    [list(scalar('int8')), list(scalar('int32')), list(scalar('int32'))],
    [list(JSON_TEXT), list(STRING), list(STRING)],
    [list(STRING), STRING, null],
    [
      struct({ a: scalar('int8'), b: STRING }),
      struct({ b: JSON_TEXT, a: scalar('int64') }),
      struct({ a: scalar('int64'), b: STRING }),
    ],
    [struct({ a: scalar('int8') }), struct({ a: scalar('int8'), b: STRING }), null],
    [struct({ a: scalar('int8') }), struct({ A: scalar('int8') }), null],
  ])('%j and %j widen to %j', (stored, incoming, expected) => {
    expect(widened(stored, incoming)).toEqual(expected)
  })

  test('types have names for messages', () => {
    expect(typeName(struct({ a: list(decimal(12, 2)), b: JSON_TEXT }))).toBe(
      'struct<a: list<decimal(12,2)>, b: json>',
    )
  })
})
