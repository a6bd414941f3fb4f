import {
  Bool,
  type Data,
  DateDay,
  Decimal,
  Float32,
  Float64,
  Int8,
  Int16,
  Int32,
  Int64,
  makeData,
  TimestampMicrosecond,
} from 'apache-arrow'
import type { LakeType } from '../../../backends/schema.ts'
import { daysOf, microsOf } from '../types/moments.ts'
import { booleanOf, floatOf, INT64_MAX, INT64_MIN, integerOf, unscaledOf } from '../types/numbers.ts'
import { type Cells, isMissing, presence } from './cells.ts'
import { Int64Values, Validity } from './layout.ts'

/** The kinds whose values all take the same width, but for decimals, which need more than their kind to be told. */
export type FixedKind = Exclude<
  LakeType['kind'],
  'decimal' | 'string' | 'json' | 'binary' | 'list' | 'struct'
>

/** @throws Misfit for a value that the type doesn't hold */
export function fixedData(kind: FixedKind, cells: Cells): Data {
  switch (kind) {
    case 'bool':
      return boolData(cells)
    case 'int8':
      return makeData({ type: new Int8(), ...numbers(new Int8Array(cells.length), cells, wholeOf(8)) })
    case 'int16':
      return makeData({ type: new Int16(), ...numbers(new Int16Array(cells.length), cells, wholeOf(16)) })
    case 'int32':
      return makeData({ type: new Int32(), ...numbers(new Int32Array(cells.length), cells, wholeOf(32)) })
    case 'float32':
      return makeData({ type: new Float32(), ...numbers(new Float32Array(cells.length), cells, floatOf) })
    case 'float64':
      return makeData({ type: new Float64(), ...numbers(new Float64Array(cells.length), cells, floatOf) })
    case 'date':
      return makeData({ type: new DateDay(), ...numbers(new Int32Array(cells.length), cells, daysOf) })
    case 'int64':
      return makeData({ type: new Int64(), ...int64s(cells, int64Of) })
    case 'timestamp':
      return makeData({ type: new TimestampMicrosecond(), ...int64s(cells, clockOf) })
    case 'timestamptz':
      return makeData({ type: new TimestampMicrosecond('UTC'), ...int64s(cells, momentOf) })
  }
}

const int64Of = (value: unknown) => integerOf(value, INT64_MIN, INT64_MAX)
const clockOf = (value: unknown) => microsOf(value, false)
const momentOf = (value: unknown) => microsOf(value, true)

function boolData(cells: Cells): Data {
  const valid = new Validity(cells.length)
  const trues = new Validity(cells.length)
  for (let row = 0; row < cells.length; row += 1) {
    const value = cells[row]
    if (isMissing(value)) continue
    valid.set(row)
    if (booleanOf(value)) trues.set(row)
  }
  return makeData({ type: new Bool(), data: trues.bits, ...presence(valid, cells) })
}

function wholeOf(bits: number): (value: unknown) => number {
  const bound = 2 ** (bits - 1)
  return (value) => {
    if (typeof value === 'number' && Number.isInteger(value) && value >= -bound && value < bound) return value
    return Number(integerOf(value, BigInt(-bound), BigInt(bound - 1)))
  }
}

function numbers<Values extends Int8Array | Int16Array | Int32Array | Float32Array | Float64Array>(
  data: Values,
  cells: Cells,
  convert: (value: unknown) => number | null,
) {
  const valid = new Validity(cells.length)
  for (let row = 0; row < cells.length; row += 1) {
    const value = cells[row]
    const converted = isMissing(value) ? null : convert(value)
    if (converted === null) continue
    valid.set(row)
    data[row] = converted
  }
  return { data, ...presence(valid, cells) }
}

function int64s(cells: Cells, convert: (value: unknown) => number | bigint | null) {
  const valid = new Validity(cells.length)
  const values = new Int64Values(cells.length)
  for (let row = 0; row < cells.length; row += 1) {
    const value = cells[row]
    const converted = isMissing(value) ? null : convert(value)
    if (converted === null) continue
    valid.set(row)
    values.set(row, converted)
  }
  return { data: values.whole, ...presence(valid, cells) }
}

/** Each value takes 128 bits: the lower 64, then the upper 64, which only repeat the sign where the number is short. */
export function decimalData(precision: number, scale: number, cells: Cells): Data {
  const valid = new Validity(cells.length)
  const values = new Int64Values(cells.length * 2)
  for (let row = 0; row < cells.length; row += 1) {
    const value = cells[row]
    const unscaled = isMissing(value) ? null : unscaledOf(value, precision, scale)
    if (unscaled === null) continue
    valid.set(row)
    values.set(row * 2, BigInt.asIntN(64, unscaled))
    values.set(row * 2 + 1, unscaled >> 64n)
  }
  const data = new Uint32Array(values.whole.buffer)
  return makeData({ type: new Decimal(scale, precision), data, ...presence(valid, cells) })
}
