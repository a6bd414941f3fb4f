import { Binary, type Data, List, makeData, Struct, Utf8 } from 'apache-arrow'
import type { ColumnSpec, LakeType } from '../../../backends/schema.ts'
import { bytesOf, jsonOf, textOf } from '../types/texts.ts'
import { Misfit, NestedText, natureOf } from '../types/values.ts'
import { arrowField, elementField } from './arrow-type.ts'
import { type Cells, isMissing, presence } from './cells.ts'
import { decimalData, fixedData } from './fixed-data.ts'
import { type TextRoom, TextValues, Validity } from './layout.ts'

/**
 * An Arrow column of the cells, in their order.
 * @param room for its texts, which stay there until it is released
 * @param wraps of a `json` column: whether what is no list becomes a list of one
 * @throws Misfit for a value that the type doesn't hold
 */
export function arrowData(type: LakeType, cells: Cells, room: TextRoom, wraps = false): Data {
  switch (type.kind) {
    case 'string':
      return makeData({ type: new Utf8(), ...texts(cells, room, textOf) })
    case 'json':
      return makeData({ type: new Utf8(), ...texts(cells, room, (value) => jsonOf(value, wraps)) })
    case 'binary':
      return makeData({ type: new Binary(), ...binaries(cells, room) })
    case 'list':
      return listData(type.element, cells, room)
    case 'struct':
      return structData(type.fields, cells, room)
    case 'decimal':
      return decimalData(type.precision, type.scale, cells)
    default:
      return fixedData(type.kind, cells)
  }
}

function texts(cells: Cells, room: TextRoom, convert: (value: unknown) => string) {
  const valid = new Validity(cells.length)
  const values = new TextValues(cells.length, room)
  for (let row = 0; row < cells.length; row += 1) {
    const value = cells[row]
    if (isMissing(value)) {
      values.addNothing()
    } else {
      valid.set(row)
      values.addText(convert(value))
    }
  }
  return { valueOffsets: values.offsets, data: values.bytes, ...presence(valid, cells) }
}

function binaries(cells: Cells, room: TextRoom) {
  const valid = new Validity(cells.length)
  const values = new TextValues(cells.length, room)
  for (let row = 0; row < cells.length; row += 1) {
    const value = cells[row]
    if (isMissing(value)) {
      values.addNothing()
    } else {
      valid.set(row)
      values.addBytes(bytesOf(value))
    }
  }
  return { valueOffsets: values.offsets, data: values.bytes, ...presence(valid, cells) }
}

function listData(element: LakeType, cells: Cells, room: TextRoom): Data {
  const valid = new Validity(cells.length)
  const valueOffsets = new Int32Array(cells.length + 1)
  const elements: unknown[] = []
  for (let row = 0; row < cells.length; row += 1) {
    const value = cells[row]
    if (!isMissing(value)) {
      if (!Array.isArray(value)) throw new Misfit(`is ${natureOf(value)}`)
      valid.set(row)
      for (const item of value) elements.push(item)
    }
    valueOffsets[row + 1] = elements.length
  }
  const type = new List(elementField(element))
  return makeData({
    type,
    valueOffsets,
    child: arrowData(element, elements, room),
    ...presence(valid, cells),
  })
}

function structData(fields: readonly ColumnSpec[], cells: Cells, room: TextRoom): Data {
  const valid = new Validity(cells.length)
  const objects = cells.map((value, row) => {
    if (isMissing(value)) return null
    if (typeof value !== 'object' || Array.isArray(value) || value instanceof NestedText)
      throw new Misfit(`is ${natureOf(value)}`)
    valid.set(row)
    return new Map<string, unknown>(Object.entries(value))
  })
  const children = fields.map((field) =>
    arrowData(
      field.type,
      objects.map((object) => object?.get(field.name)),
      room,
    ),
  )
  return makeData({ type: new Struct(fields.map(arrowField)), children, ...presence(valid, cells) })
}
