import type { ColumnSpec, LakeType } from '../../../backends/schema.ts'
import { type CompactWriter, THRIFT } from './compact-protocol.ts'

/** Numbers of Parquet's `Type`. */
export const PHYSICAL = {
  boolean: 0,
  int32: 1,
  int64: 2,
  float: 4,
  double: 5,
  byteArray: 6,
  fixed: 7,
} as const
/** Numbers of `ConvertedType`, which readers from before logical types go by. */
const CONVERTED = { utf8: 0, list: 3, decimal: 5, date: 6, timestampMicros: 10, int8: 15, int16: 16 } as const
/** Field numbers of `LogicalType`, a union. */
const LOGICAL = { string: 1, list: 3, decimal: 5, date: 6, timestamp: 8, integer: 10 } as const
const REPETITION = { required: 0, optional: 1, repeated: 2 } as const

/** The most digits that a 64 bit integer holds. */
const INT64_DIGITS = 18
/** Of a decimal with more digits. */
export const DECIMAL_BYTES = 16

export function physicalType(type: LakeType): number {
  switch (type.kind) {
    case 'bool':
      return PHYSICAL.boolean
    case 'int8':
    case 'int16':
    case 'int32':
    case 'date':
      return PHYSICAL.int32
    case 'int64':
    case 'timestamp':
    case 'timestamptz':
      return PHYSICAL.int64
    case 'float32':
      return PHYSICAL.float
    case 'float64':
      return PHYSICAL.double
    case 'decimal':
      return type.precision > INT64_DIGITS ? PHYSICAL.fixed : PHYSICAL.int64
    default:
      return PHYSICAL.byteArray
  }
}

/** Writes the schema of a file as the list of its elements, parents before children. All columns are optional. */
export function writeSchema(writer: CompactWriter, id: number, columns: readonly ColumnSpec[]): void {
  const elements = columns.reduce((sum, { type }) => sum + elementCount(type), 1)
  writer.listField(id, THRIFT.struct, elements)
  writer.struct(() => {
    writer.textField(4, 'schema')
    writer.i32Field(5, columns.length)
  })
  for (const { name, type } of columns) writeElement(writer, name, type)
}

/** Says of each leaf that its statistics are in the order of its type, without which readers leave them out. */
export function writeColumnOrders(writer: CompactWriter, id: number, columns: readonly ColumnSpec[]): void {
  const leaves = columns.reduce((sum, { type }) => sum + leafCount(type), 0)
  writer.listField(id, THRIFT.struct, leaves)
  for (let leaf = 0; leaf < leaves; leaf += 1) writer.struct(() => writer.structField(1))
}

function leafCount(type: LakeType): number {
  if (type.kind === 'list') return leafCount(type.element)
  return type.kind === 'struct' ? type.fields.reduce((sum, field) => sum + leafCount(field.type), 0) : 1
}

function elementCount(type: LakeType): number {
  if (type.kind === 'list') return 2 + elementCount(type.element)
  if (type.kind !== 'struct') return 1
  return type.fields.reduce((sum, field) => sum + elementCount(field.type), 1)
}

function writeElement(writer: CompactWriter, name: string, type: LakeType): void {
  if (type.kind === 'list') return writeList(writer, name, type.element)
  if (type.kind !== 'struct') return writer.struct(() => writeLeaf(writer, name, type))
  writeGroup(writer, name, REPETITION.optional, type.fields.length)
  for (const field of type.fields) writeElement(writer, field.name, field.type)
}

/** The three levels of a list: the list, which may be null; its repetition; the element, which may be null, too. */
function writeList(writer: CompactWriter, name: string, element: LakeType): void {
  writer.struct(() => {
    writer.i32Field(3, REPETITION.optional)
    writer.textField(4, name)
    writer.i32Field(5, 1)
    writer.i32Field(6, CONVERTED.list)
    writer.structField(10, () => writer.structField(LOGICAL.list))
  })
  writeGroup(writer, 'list', REPETITION.repeated, 1)
  writeElement(writer, 'element', element)
}

function writeGroup(writer: CompactWriter, name: string, repetition: number, children: number): void {
  writer.struct(() => {
    writer.i32Field(3, repetition)
    writer.textField(4, name)
    writer.i32Field(5, children)
  })
}

function writeLeaf(writer: CompactWriter, name: string, type: LakeType): void {
  const physical = physicalType(type)
  writer.i32Field(1, physical)
  if (physical === PHYSICAL.fixed) writer.i32Field(2, DECIMAL_BYTES)
  writer.i32Field(3, REPETITION.optional)
  writer.textField(4, name)
  switch (type.kind) {
    case 'int8':
      return writeInteger(writer, CONVERTED.int8, 8)
    case 'int16':
      return writeInteger(writer, CONVERTED.int16, 16)
    case 'decimal':
      return writeDecimal(writer, type.precision, type.scale)
    case 'date':
      writer.i32Field(6, CONVERTED.date)
      return writer.structField(10, () => writer.structField(LOGICAL.date))
    case 'timestamp':
    case 'timestamptz':
      return writeTimestamp(writer, type.kind === 'timestamptz')
    case 'string':
    case 'json':
      writer.i32Field(6, CONVERTED.utf8)
      return writer.structField(10, () => writer.structField(LOGICAL.string))
    default:
  }
}

function writeInteger(writer: CompactWriter, converted: number, bits: number): void {
  writer.i32Field(6, converted)
  writer.structField(10, () =>
    writer.structField(LOGICAL.integer, () => {
      writer.i8Field(1, bits)
      writer.boolField(2, true)
    }),
  )
}

function writeDecimal(writer: CompactWriter, precision: number, scale: number): void {
  writer.i32Field(6, CONVERTED.decimal)
  writer.i32Field(7, scale)
  writer.i32Field(8, precision)
  writer.structField(10, () =>
    writer.structField(LOGICAL.decimal, () => {
      writer.i32Field(1, scale)
      writer.i32Field(2, precision)
    }),
  )
}

/** `ConvertedType` knows moments in UTC only, so a clock without a zone goes without one. */
function writeTimestamp(writer: CompactWriter, isUtc: boolean): void {
  if (isUtc) writer.i32Field(6, CONVERTED.timestampMicros)
  writer.structField(10, () =>
    writer.structField(LOGICAL.timestamp, () => {
      writer.boolField(1, isUtc)
      writer.structField(2, () => writer.structField(2))
    }),
  )
}
