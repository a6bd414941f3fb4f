import {
  Binary,
  Bool,
  type DataType,
  DateDay,
  Decimal,
  Field,
  Float32,
  Float64,
  Int8,
  Int16,
  Int32,
  Int64,
  List,
  Struct,
  TimestampMicrosecond,
  Utf8,
} from 'apache-arrow'
import type { ColumnSpec, LakeType } from '../../../backends/schema.ts'

/** The Arrow type whose Parquet form both backends read as the lake's type. JSON is text, as `backends/schema.ts` has it. */
export function arrowType(type: LakeType): DataType {
  switch (type.kind) {
    case 'bool':
      return new Bool()
    case 'int8':
      return new Int8()
    case 'int16':
      return new Int16()
    case 'int32':
      return new Int32()
    case 'int64':
      return new Int64()
    case 'float32':
      return new Float32()
    case 'float64':
      return new Float64()
    case 'decimal':
      return new Decimal(type.scale, type.precision)
    case 'date':
      return new DateDay()
    case 'timestamp':
      return new TimestampMicrosecond()
    case 'timestamptz':
      return new TimestampMicrosecond('UTC')
    case 'string':
    case 'json':
      return new Utf8()
    case 'binary':
      return new Binary()
    case 'list':
      return new List(elementField(type.element))
    case 'struct':
      return new Struct(type.fields.map(arrowField))
  }
}

/** Parquet's own name of it. */
export function elementField(type: LakeType): Field {
  return new Field('element', arrowType(type), true)
}

export function arrowField({ name, type }: ColumnSpec): Field {
  return new Field(name, arrowType(type), true)
}
