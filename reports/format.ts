/** Figures as a person reads them. The tables keep three significant digits; the results file keeps all. */
import type { Axis, Point, Scalar, Unit } from './schema.ts'

// A formatter takes longer to make than to use, and a report formats tens of thousands of figures.
const COUNTS = new Intl.NumberFormat('en-US')
const DECIMALS = [0, 1, 2].map(
  (digits) =>
    new Intl.NumberFormat('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits }),
)

const BYTE_UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB'] as const

export function formatBytes(bytes: number): string {
  let value = bytes
  let unit = 0
  // 1023.5 would print as "1,024 KiB" where "1.00 MiB" is meant.
  while (Math.abs(value) >= 1023.5 && unit < BYTE_UNITS.length - 1) {
    value /= 1024
    unit += 1
  }
  return `${unit === 0 ? String(Math.round(value)) : significant(value)} ${BYTE_UNITS[unit] ?? ''}`
}

export function formatDuration(ms: number): string {
  if (ms < 999.5) return `${significant(ms)} ms`
  const seconds = ms / 1000
  if (seconds < 99.95) return `${significant(seconds)} s`
  const whole = Math.round(seconds)
  return `${Math.floor(whole / 60)} min ${String(whole % 60).padStart(2, '0')} s`
}

export function formatCount(count: number): string {
  return COUNTS.format(Math.round(count))
}

/** A value in its unit, as `1.50 GiB`, `8.20 s` or `6.30 commits/s`. */
export function formatValue(value: number, unit: Unit): string {
  switch (unit) {
    case 'ms':
      return formatDuration(value)
    case 's':
      return formatDuration(value * 1000)
    case 'bytes':
      return formatBytes(value)
    case 'bytes/s':
      return `${formatBytes(value)}/s`
    case 'count':
      return Number.isInteger(value) ? formatCount(value) : significant(value)
    case 'ratio':
      return significant(value)
    case 'per-commit':
      return `${significant(value)} per commit`
    case 'per-row':
      return `${significant(value)} per row`
    case 'GiB·s':
    case 'rows/s':
    case 'commits/s':
    case 'requests/s':
      return `${significant(value)} ${unit}`
    default:
      return unit satisfies never
  }
}

/** `s3 latency 15 ms, target same table`; empty where the scenario has no axes. */
export function formatPoint(point: Point, axes: readonly Axis[]): string {
  return axes
    .flatMap((axis) => {
      const value = point[axis.name]
      return value === undefined ? [] : [`${formatMetricName(axis.name)} ${formatAxisValue(value, axis)}`]
    })
    .join(', ')
}

export function formatAxisValue(value: Scalar, { unit }: Axis): string {
  if (typeof value === 'boolean') return value ? 'yes' : 'no'
  if (typeof value === 'number' && unit === 'bytes') return formatBytes(value)
  return unit === null ? formatScalar(value) : `${formatScalar(value)} ${unit}`
}

/** A metric's name in words, without the unit that its value is shown in: `commit latency p50` of `commitLatencyP50Ms`. */
export function formatMetricName(name: string): string {
  const phased = name.replaceAll('.', ' ')
  return splitCamelCase(phased.replace(/(?<=[a-z0-9])(?:Ms|Bytes|Seconds|GibSeconds)$/, ''))
}

export function capitalize(words: string): string {
  return words.charAt(0).toUpperCase() + words.slice(1)
}

function splitCamelCase(name: string): string {
  return name.replaceAll(/(?<=[a-z0-9])[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`)
}

/** `5.1×`; two decimals where one would hide the difference. */
export function formatRatio(ratio: number): string {
  return `${ratioNumber(ratio)}×`
}

/** `4.8–5.6×` */
export function formatRatioRange(low: number, high: number): string {
  return `${ratioNumber(low)}–${formatRatio(high)}`
}

export function formatPercent(share: number): string {
  return `${(share * 100).toFixed(1).replace(/\.0$/, '')} %`
}

/** `1 repetition`, `5 repetitions`. */
export function plural(count: number, noun: string): string {
  return `${formatCount(count)} ${noun}${count === 1 ? '' : 's'}`
}

/** `a, b and c` */
export function enumerate(items: readonly string[]): string {
  const last = items.at(-1) ?? ''
  return items.length < 2 ? last : `${items.slice(0, -1).join(', ')} and ${last}`
}

export function formatScalar(value: unknown): string {
  if (typeof value === 'string') return value
  if (typeof value === 'number') return Number.isInteger(value) ? formatCount(value) : String(value)
  return JSON.stringify(value) ?? 'undefined'
}

function ratioNumber(ratio: number): string {
  if (ratio >= 9.95) return formatCount(ratio)
  return ratio >= 1.495 ? ratio.toFixed(1) : ratio.toFixed(2)
}

function significant(value: number): string {
  const size = Math.abs(value)
  const decimals = size >= 99.95 ? 0 : size >= 9.995 ? 1 : 2
  return value === 0 ? '0' : (DECIMALS[decimals] ?? COUNTS).format(value)
}
