import { InvalidArgumentError } from 'commander'
import { parseBytes } from '../../reports/amounts.ts'

/** Node alone needs some 60 MiB, so that a smaller pod could start nothing. */
const LEAST_CAP_BYTES = 64 * 2 ** 20
const MAX_SEED = 2 ** 31 - 1
const MAX_REPEAT = 1_000
const MAX_MINUTES = 10_000

/** `1GiB`, `512 MiB`, `800MB`; `none` is null. */
export function parseMemoryCap(text: string): number | null {
  if (text.toLowerCase() === 'none') return null
  const bytes = parseBytes(text)
  if (bytes !== null && bytes >= LEAST_CAP_BYTES) return bytes
  throw new InvalidArgumentError(
    'Give a size of at least 64MiB with its unit, such as 512MiB or 1GiB, or "none".',
  )
}

export function parseRepeat(text: string): number {
  return wholeNumber(text, 1, MAX_REPEAT)
}

export function parseSeed(text: string): number {
  return wholeNumber(text, 0, MAX_SEED)
}

export function wholeNumber(text: string, least: number, most: number): number {
  const value = Number(text)
  if (/^\d+$/.test(text) && value >= least && value <= most) return value
  throw new InvalidArgumentError(`Give a whole number from ${least} to ${most}.`)
}

/** `20`, or `0.5` for half a minute. */
export function parseMinutes(text: string): number {
  const value = Number(text)
  if (/^\d+(?:\.\d+)?$/.test(text) && value > 0 && value <= MAX_MINUTES) return value
  throw new InvalidArgumentError(`Give a number of minutes above 0, up to ${MAX_MINUTES}.`)
}

/** For options that can be given several times, and take several names separated by commas. */
export function collect(text: string, before: readonly string[] = []): readonly string[] {
  return [...before, ...text.split(',').map((name) => name.trim())]
}
