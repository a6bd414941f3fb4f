import { DecimalText } from '../../sources/source.ts'
import { jsonText, Misfit, NestedText, natureOf } from './values.ts'

/** The text of a value in a `string` column: text as it is, bytes in hexadecimal, everything else as JSON has it. */
export function textOf(value: unknown): string {
  if (typeof value === 'string') return value
  if (typeof value === 'number' || typeof value === 'boolean' || typeof value === 'bigint')
    return String(value)
  if (value instanceof NestedText || value instanceof DecimalText) return value.text
  if (value instanceof Date) return value.toISOString()
  if (value instanceof Uint8Array)
    return Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('hex')
  if (typeof value === 'object') return jsonText(value)
  throw new Misfit(`is ${natureOf(value)}`)
}

/**
 * The text of a value in a `json` column. A text counts as JSON already, since that is how databases hand it over.
 * @param wraps whether what is no list becomes a list of one
 */
export function jsonOf(value: unknown, wraps: boolean): string {
  if (!wraps || (value instanceof NestedText && value.isList)) return textOf(value)
  return typeof value === 'number' || typeof value === 'boolean'
    ? `[${value}]`
    : `[${JSON.stringify(textOf(value))}]`
}

const HEX_BYTES = /^\\x(?:[0-9a-f]{2})*$/i

/** The bytes of a `binary` column; a text is what Postgres writes (`\x0aff`), or else stands for its UTF-8. */
export function bytesOf(value: unknown): Uint8Array {
  if (value instanceof Uint8Array) return value
  if (typeof value !== 'string') throw new Misfit(`is ${natureOf(value)}`)
  return HEX_BYTES.test(value) ? Buffer.from(value.slice(2), 'hex') : Buffer.from(value, 'utf8')
}
