import { InvalidArgumentError } from 'commander'

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
  const count = Number(text)
  if (/^\d+$/.test(text) && count >= 1 && count <= MAX_COUNT) return count
  throw new InvalidArgumentError(`Give a whole number from 1 to ${MAX_COUNT}.`)
}
