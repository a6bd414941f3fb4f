import { InvalidArgumentError } from 'commander'

const UNITS: Readonly<Record<string, number>> = {
  b: 1,
  kb: 1e3,
  mb: 1e6,
  gb: 1e9,
  kib: 2 ** 10,
  mib: 2 ** 20,
  gib: 2 ** 30,
}
/** Node alone needs some 60 MiB, so that a smaller pod could start nothing. */
const LEAST_CAP_BYTES = 64 * 2 ** 20
const MAX_SEED = 2 ** 31 - 1
const MAX_REPEAT = 1_000

/** `1GiB`, `512 MiB`, `800MB`; `none` is null. */
export function parseMemoryCap(text: string): number | null {
  if (text.toLowerCase() === 'none') return null
  const bytes = parseBytes(text)
  if (bytes !== null && bytes >= LEAST_CAP_BYTES) return bytes
  throw new InvalidArgumentError(
    'Give a size of at least 64MiB with its unit, such as 512MiB or 1GiB, or "none".',
  )
}

/** A number with its unit, in bytes; null for anything else. */
export function parseBytes(text: string): number | null {
  const match = /^(\d+(?:\.\d+)?)\s*([kmg]?i?b)$/i.exec(text)
  const bytes = Math.round(Number(match?.[1]) * (UNITS[match?.[2]?.toLowerCase() ?? ''] ?? Number.NaN))
  return Number.isFinite(bytes) ? bytes : null
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

/** For options that can be given several times, and take several names separated by commas. */
export function collect(text: string, before: readonly string[] = []): readonly string[] {
  return [...before, ...text.split(',').map((name) => name.trim())]
}
