import { z } from 'zod'
import { messageOf } from '../../platform/errors.ts'

/** A type of the Delta protocol. What a `primitive` may be called is left open, since features add names. */
export type DeltaType =
  | { readonly kind: 'primitive'; readonly name: string }
  | { readonly kind: 'decimal'; readonly precision: number; readonly scale: number }
  | { readonly kind: 'struct'; readonly fields: readonly DeltaField[] }
  | { readonly kind: 'array'; readonly element: DeltaType; readonly containsNull: boolean }
  | {
      readonly kind: 'map'
      readonly key: DeltaType
      readonly value: DeltaType
      readonly valueContainsNull: boolean
    }

export interface DeltaField {
  readonly name: string
  /** Its name in Parquet files and partition values: another one where columns are mapped. */
  readonly physicalName: string
  readonly type: DeltaType
  readonly nullable: boolean
  readonly metadata: Readonly<Record<string, unknown>>
}

type RawType = string | RawStruct | RawArray | RawMap
interface RawStruct {
  type: 'struct'
  fields: RawField[]
}
interface RawArray {
  type: 'array'
  elementType: RawType
  containsNull: boolean
}
interface RawMap {
  type: 'map'
  keyType: RawType
  valueType: RawType
  valueContainsNull: boolean
}
interface RawField {
  name: string
  type: RawType
  nullable: boolean
  metadata: Record<string, unknown>
}

const rawTypeSchema: z.ZodType<RawType> = z.lazy(() =>
  z.union([z.string(), rawStructSchema, rawArraySchema, rawMapSchema]),
)
const rawFieldSchema = z.object({
  name: z.string(),
  type: rawTypeSchema,
  nullable: z.boolean(),
  metadata: z
    .record(z.string(), z.unknown())
    .nullish()
    .transform((metadata) => metadata ?? {}),
})
const rawStructSchema = z.object({ type: z.literal('struct'), fields: z.array(rawFieldSchema) })
const rawArraySchema = z.object({
  type: z.literal('array'),
  elementType: rawTypeSchema,
  containsNull: z.boolean(),
})
const rawMapSchema = z.object({
  type: z.literal('map'),
  keyType: rawTypeSchema,
  valueType: rawTypeSchema,
  valueContainsNull: z.boolean(),
})

export type ColumnMapping = 'none' | 'name' | 'id'

/**
 * The columns of a table.
 * @param schemaString of its `metaData`
 * @throws Error that says what is wrong with it
 */
export function parseSchema(schemaString: string, mapping: ColumnMapping): readonly DeltaField[] {
  const parsed = rawStructSchema.safeParse(jsonOf(schemaString))
  if (parsed.success) return fieldsOf(parsed.data, mapping)
  throw new Error(
    `the schema isn't one of Delta: ${z.prettifyError(parsed.error).replaceAll(/\s*\n\s*/g, ' ')}`,
  )
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new Error(`the schema is no JSON: ${messageOf(cause)}`, { cause })
  }
}

function fieldsOf({ fields }: RawStruct, mapping: ColumnMapping): readonly DeltaField[] {
  return fields.map(({ name, type, nullable, metadata }) => ({
    name,
    physicalName: physicalNameOf(name, metadata, mapping),
    type: typeOf(type, mapping),
    nullable,
    metadata,
  }))
}

function physicalNameOf(
  name: string,
  metadata: Readonly<Record<string, unknown>>,
  mapping: ColumnMapping,
): string {
  const physical = metadata['delta.columnMapping.physicalName']
  if (mapping === 'none') return name
  if (typeof physical === 'string') return physical
  throw new Error(`column "${name}" has no physical name, though columns are mapped by ${mapping}`)
}

const DECIMAL = /^decimal\((\d+),\s*(-?\d+)\)$/

function typeOf(raw: RawType, mapping: ColumnMapping): DeltaType {
  if (typeof raw === 'string') return namedType(raw)
  if (raw.type === 'struct') return { kind: 'struct', fields: fieldsOf(raw, mapping) }
  if (raw.type === 'array') {
    return { kind: 'array', element: typeOf(raw.elementType, mapping), containsNull: raw.containsNull }
  }
  return {
    kind: 'map',
    key: typeOf(raw.keyType, mapping),
    value: typeOf(raw.valueType, mapping),
    valueContainsNull: raw.valueContainsNull,
  }
}

function namedType(name: string): DeltaType {
  // Spark's default, which old tables spell without its digits.
  if (name === 'decimal') return { kind: 'decimal', precision: 10, scale: 0 }
  const decimal = DECIMAL.exec(name)
  if (decimal === null) return { kind: 'primitive', name }
  return { kind: 'decimal', precision: Number(decimal[1]), scale: Number(decimal[2]) }
}

/** As Delta names it: `array<struct<a:long>>`. */
export function typeText(type: DeltaType): string {
  if (type.kind === 'primitive') return type.name
  if (type.kind === 'decimal') return `decimal(${type.precision},${type.scale})`
  if (type.kind === 'array') return `array<${typeText(type.element)}>`
  if (type.kind === 'map') return `map<${typeText(type.key)},${typeText(type.value)}>`
  return `struct<${type.fields.map(({ name, type: field }) => `${name}:${typeText(field)}`).join(',')}>`
}
