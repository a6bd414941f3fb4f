/** Figures as a person reads them. The tables keep three significant digits; the results file keeps all. */

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
  return Math.round(count).toLocaleString('en-US')
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
  return value === 0
    ? '0'
    : value.toLocaleString('en-US', { minimumFractionDigits: decimals, maximumFractionDigits: decimals })
}
