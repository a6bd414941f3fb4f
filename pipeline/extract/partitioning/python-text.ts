import type { LakeType } from '../../../backends/schema.ts'
import { microsOf, splitMicros } from '../types/moments.ts'
import { booleanOf, floatOf, INT64_MAX, INT64_MIN, integerOf, unscaledOf } from '../types/numbers.ts'
import { bytesOf, textOf } from '../types/texts.ts'

/**
 * What Python's `str()` writes for a stored value, so that rows keep the buckets that Python code gave them: `None`, `True`,
 * `1e+16`, `2024-05-06 07:08:09.000010`. A moment is told without its zone, as in the tables of that code. Lists and
 * structs are no such thing: they count as their JSON text.
 * @throws Misfit for a value that the type doesn't hold
 */
export function pythonText(value: unknown, type: LakeType): string {
  if (value === null || value === undefined) return 'None'
  switch (type.kind) {
    case 'bool':
      return booleanOf(value) ? 'True' : 'False'
    case 'int8':
    case 'int16':
    case 'int32':
    case 'int64':
      return String(integerOf(value, INT64_MIN, INT64_MAX))
    case 'float32':
      return floatText(floatOf(value), Math.fround)
    case 'float64':
      return floatText(floatOf(value), Number)
    case 'decimal':
      return decimalText(unscaledOf(value, type.precision, type.scale), type.scale)
    case 'date':
      return momentText(value, false).slice(0, 10)
    case 'timestamp':
    case 'timestamptz':
      return momentText(value, type.kind === 'timestamptz')
    case 'binary':
      return bytesText(bytesOf(value))
    default:
      return textOf(value)
  }
}

function floatText(value: number | null, rounded: (value: number) => number): string {
  if (value === null) return 'None'
  const number = rounded(value)
  const [digits = '', exponentText = '0'] = number.toExponential().split('e')
  const exponent = Number(exponentText)
  const sign = Object.is(number, -0) ? '-' : ''
  if (exponent < -4 || exponent >= 16) {
    return `${digits}e${exponent < 0 ? '-' : '+'}${String(Math.abs(exponent)).padStart(2, '0')}`
  }
  // JavaScript writes a number of this range without an exponent, but for the tiny ones.
  const plain =
    exponent < 0 ? number.toFixed(digits.replace(/[-.]/g, '').length - 1 - exponent) : String(number)
  return sign + (plain.includes('.') ? plain : `${plain}.0`)
}

function decimalText(unscaled: bigint | null, scale: number): string {
  if (unscaled === null) return 'None'
  const sign = unscaled < 0n ? '-' : ''
  const digits = String(unscaled).replace('-', '')
  const exponent = digits.length - 1 - scale
  if (exponent < -6) {
    const fraction = digits.length > 1 ? `.${digits.slice(1)}` : ''
    return `${sign}${digits.slice(0, 1)}${fraction}E${exponent}`
  }
  if (scale === 0) return sign + digits
  const padded = digits.padStart(scale + 1, '0')
  return `${sign}${padded.slice(0, -scale)}.${padded.slice(-scale)}`
}

function momentText(value: unknown, zoned: boolean): string {
  const micros = microsOf(value, zoned)
  if (micros === null) return 'None'
  const { millis, micros: rest } = splitMicros(micros)
  const moment = new Date(millis).toISOString()
  const text = moment.slice(0, 19).replace('T', ' ')
  const fraction = moment.slice(20, 23) + String(rest).padStart(3, '0')
  return fraction === '000000' ? text : `${text}.${fraction}`
}

const ESCAPED: Readonly<Record<number, string>> = { 9: '\\t', 10: '\\n', 13: '\\r', 92: '\\\\' }

function bytesText(bytes: Uint8Array): string {
  const quote = bytes.includes(39) && !bytes.includes(34) ? '"' : "'"
  const text = Array.from(bytes, (byte) => {
    const escaped = ESCAPED[byte]
    if (escaped !== undefined) return escaped
    const character = String.fromCharCode(byte)
    if (character === quote) return `\\${character}`
    return byte >= 32 && byte < 127 ? character : `\\x${byte.toString(16).padStart(2, '0')}`
  })
  return `b${quote}${text.join('')}${quote}`
}
