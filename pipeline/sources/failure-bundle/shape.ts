import { DecimalText } from '../source.ts'

const MAX_DEPTH = 8
const MAX_KEYS = 200
const LOOKED_AT_ITEMS = 5
/** A key that is a name somebody gave to a field; others may be values, as in a map by e-mail address. */
const FIELD_NAME = /^[A-Za-z_][A-Za-z_-]{0,40}\d{0,2}$/

const FORMATS: readonly (readonly [name: string, pattern: RegExp])[] = [
  ['date-time', /^\d{4}-\d\d-\d\d[T ]\d\d:\d\d/],
  ['date', /^\d{4}-\d\d-\d\d$/],
  ['uuid', /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i],
  ['integer', /^-?\d+$/],
  ['number', /^-?\d*\.\d+$/],
  ['url', /^https?:\/\//],
  ['e-mail', /^[^\s@]+@[^\s@]+$/],
]

/** What a value is, without the value: `text(24, date-time)`, `integer`, `{ id: 'integer', tags: ['text(3)'] }`. */
export function shapeOf(value: unknown, depth = 0): unknown {
  if (value === null || value === undefined) return 'null'
  if (typeof value === 'string') return textShape(value)
  if (typeof value === 'number') return Number.isInteger(value) ? 'integer' : 'number'
  if (typeof value === 'bigint') return 'integer'
  if (typeof value !== 'object') return typeof value
  return objectShape(value, depth)
}

function objectShape(value: object, depth: number): unknown {
  if (value instanceof Date) return 'moment'
  if (value instanceof Uint8Array) return `binary(${value.byteLength})`
  if (value instanceof DecimalText) return `decimal(${value.text.length})`
  if (depth >= MAX_DEPTH) return '…'
  if (Array.isArray(value)) {
    const items = new Map(
      value.slice(0, LOOKED_AT_ITEMS).map((item) => {
        const shape = shapeOf(item, depth + 1)
        return [JSON.stringify(shape), shape]
      }),
    )
    return { items: value.length, of: [...items.values()] }
  }
  const entries = Object.entries(value)
  const shown = entries
    .slice(0, MAX_KEYS)
    .map(([key, inner], index): [string, unknown] => [fieldName(key, index), shapeOf(inner, depth + 1)])
  return Object.fromEntries(
    entries.length > MAX_KEYS ? [...shown, ['…', `${entries.length - MAX_KEYS} more`]] : shown,
  )
}

function textShape(text: string): string {
  const format = FORMATS.find(([, pattern]) => pattern.test(text))
  return format === undefined ? `text(${text.length})` : `text(${text.length}, ${format[0]})`
}

function fieldName(key: string, index: number): string {
  return FIELD_NAME.test(key) ? key : `key ${index + 1} of ${key.length} characters`
}
