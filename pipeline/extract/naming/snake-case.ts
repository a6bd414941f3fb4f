import { createHash } from 'node:crypto'

/** What Python's `str.strip()` takes for white space, which is not what `String.trim()` does (U+001C to U+001F, U+0085, U+FEFF). */
const PYTHON_SPACE = String.raw`[\t-\r\x1c-\x20\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]`
const OUTER_SPACE = new RegExp(`^${PYTHON_SPACE}+|${PYTHON_SPACE}+$`, 'gu')

const REDUCED: Readonly<Record<string, string>> = { '+': 'x', '-': '_', '*': 'x', '@': 'a', '|': 'l' }
const REDUCIBLE = /[+\-*@|]/g

/**
 * Letters are ASCII, while a digit is any decimal digit of Unicode: Python's `\d` is `\p{Nd}`, JavaScript's is `[0-9]`.
 * The two agree but for the digits that one of the two Unicode versions does not know yet.
 */
const NOT_ALPHANUMERIC = /[^a-zA-Z\p{Nd}_]+/gu
const WORD_BREAK = /([^_])([A-Z][a-z]+)/gu
const CASE_BREAK = /([a-z0-9])([A-Z])/g
const LEADING_DIGIT = /^\p{Nd}/u
const TRAILING_UNDERSCORES = /_+$/
const UNDERSCORES = /__+/g

/**
 * A name in the snake_case of dlt, byte for byte: `HTTPResponseCode` → `http_response_code`, `amount+` → `amountx`,
 * `2nd` → `_2nd`, `total_` → `totalx`.
 * @param maxLength in characters; a longer name is cut in its middle, where a tag of the whole source name stands then
 * @returns an empty text for a name of white space only, which dlt refuses
 */
export function snakeCase(name: string, maxLength: number): string {
  const trimmed = name.replaceAll(OUTER_SPACE, '')
  const reduced = trimmed
    .replaceAll(REDUCIBLE, (character) => REDUCED[character] ?? character)
    .replaceAll(NOT_ALPHANUMERIC, '_')
  const lower = reduced.replaceAll(WORD_BREAK, '$1_$2').replaceAll(CASE_BREAK, '$1_$2').toLowerCase()
  const led = LEADING_DIGIT.test(lower) ? `_${lower}` : lower
  const ended = led.replace(TRAILING_UNDERSCORES, (underscores) => 'x'.repeat(underscores.length))
  return shortened(ended.replaceAll(UNDERSCORES, '_'), trimmed, maxLength)
}

/** Bytes of the hash that dlt keeps, for a probability of 0.001 that two names get the same tag. */
const TAG_BYTES = 4

function shortened(name: string, source: string, maxLength: number): string {
  const characters = Array.from(name)
  if (characters.length <= maxLength) return name
  const tag = tagOf(source)
  const kept = maxLength - tag.length
  const head = characters.slice(0, Math.ceil(kept / 2)).join('')
  const tail = characters.slice(characters.length - Math.floor(kept / 2)).join('')
  return head + tag + tail
}

function tagOf(source: string): string {
  const hash = createHash('shake128', { outputLength: TAG_BYTES }).update(source, 'utf8').digest('base64')
  return hash.replaceAll('=', '').replaceAll('/', 'a').replaceAll('+', 'b').toLowerCase()
}
