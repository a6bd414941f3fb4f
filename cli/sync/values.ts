import { InvalidArgumentError } from 'commander'
import { parseBytes } from '../../reports/amounts.ts'
import { wholeNumber } from '../bench/values.ts'

const UNITS_MS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 }
const MAX_COUNT = 256

/** `30s`, `500ms`, `2m`, `6h` in milliseconds. */
export function parseDuration(text: string): number {
  const [, number, unit] = /^(\d+(?:\.\d+)?)(ms|s|m|h)$/.exec(text) ?? []
  const durationMs = Number(number) * (UNITS_MS[unit ?? ''] ?? Number.NaN)
  if (Number.isFinite(durationMs)) return durationMs
  throw new InvalidArgumentError('Give a duration with its unit, such as 500ms, 30s or 2m.')
}

export function parseCount(text: string): number {
  return wholeNumber(text, 1, MAX_COUNT)
}

const MAX_ROWS = 100_000_000

export function parseRows(text: string): number {
  return wholeNumber(text, 1, MAX_ROWS)
}

/** `64MiB`, `1GiB`. */
export function parseSize(text: string): number {
  const bytes = parseBytes(text)
  if (bytes !== null && bytes >= 1) return bytes
  throw new InvalidArgumentError('Give a size with its unit, such as 64MiB or 1GiB.')
}
