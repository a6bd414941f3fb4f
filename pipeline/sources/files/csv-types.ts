import type { LakeType } from '../../../backends/schema.ts'

/** A whole number without zeros before it, which a code such as 00123 has, and within 64 bits. */
const WHOLE = /^-?(?:0|[1-9]\d{0,17})$/
const FRACTION = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d{1,2})?$/
const DATE = /^\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])$/
const TIME = /^\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?$/
const ZONED_TIME = /^\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)? ?(?:Z|UTC|[+-]\d\d(?::?\d\d)?)$/
/** Digits that a double gives back as they were. */
const DOUBLE_DIGITS = 15

/** In the order in which they are tried: the first that takes every value is the column's. */
const TYPES: readonly (readonly [type: LakeType, takes: (text: string) => boolean])[] = [
  [{ kind: 'int64' }, (text) => WHOLE.test(text)],
  [
    { kind: 'float64' },
    (text) => FRACTION.test(text) && text.replaceAll(/e.*$|\D/gi, '').length <= DOUBLE_DIGITS,
  ],
  [{ kind: 'bool' }, (text) => /^(?:true|false)$/i.test(text)],
  [{ kind: 'date' }, (text) => DATE.test(text)],
  [{ kind: 'timestamp' }, (text) => TIME.test(text)],
  [{ kind: 'timestamptz' }, (text) => ZONED_TIME.test(text)],
]

/** The type of a column by its first values; null where there are none, which leaves it to those that follow. */
export function typeOfTexts(values: readonly (string | null)[]): LakeType | null {
  const texts = values.filter((value) => value !== null)
  if (texts.length === 0) return null
  return TYPES.find(([, takes]) => texts.every(takes))?.[0] ?? { kind: 'string' }
}
