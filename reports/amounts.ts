/** Amounts as people write them. All give null for what is no such amount. */
import type { Unit } from './schema.ts'

const BYTES: Readonly<Record<string, number>> = {
  b: 1,
  kb: 1e3,
  mb: 1e6,
  gb: 1e9,
  kib: 2 ** 10,
  mib: 2 ** 20,
  gib: 2 ** 30,
}
const MILLISECONDS: Readonly<Record<string, number>> = { ms: 1, s: 1000, min: 60_000, h: 3_600_000 }

/** A number with its unit, in bytes: `512MiB`, `1.5 GB`. */
export function parseBytes(text: string): number | null {
  const bytes = scaled(text, BYTES)
  return bytes === null ? null : Math.round(bytes)
}

/** A number with its unit, in milliseconds: `800 ms`, `2.5 s`, `20min`. */
export function parseDuration(text: string): number | null {
  return scaled(text, MILLISECONDS)
}

/** `5%` or `0.05`, below 1. */
export function parseShare(text: string): number | null {
  const match = /^\s*(\d+(?:\.\d+)?)\s*(%?)\s*$/.exec(text)
  if (match === null) return null
  const share = Number(match[1]) / (match[2] === '%' ? 100 : 1)
  return share < 1 ? share : null
}

/** A limit in the unit of the metric that it is for: a plain number, or a text with its own unit. */
export function parseLimit(limit: number | string, unit: Unit): number | null {
  if (typeof limit === 'number') return limit
  switch (unit) {
    case 'bytes':
      return parseBytes(limit)
    case 'ms':
      return parseDuration(limit)
    case 's': {
      const milliseconds = parseDuration(limit)
      return milliseconds === null ? null : milliseconds / 1000
    }
    default:
      return null
  }
}

function scaled(text: string, units: Readonly<Record<string, number>>): number | null {
  const match = /^\s*(\d+(?:\.\d+)?)\s*([a-z]+)\s*$/i.exec(text)
  const amount = Number(match?.[1]) * (units[match?.[2]?.toLowerCase() ?? ''] ?? Number.NaN)
  return Number.isFinite(amount) ? amount : null
}
