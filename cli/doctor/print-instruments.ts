import Table from 'cli-table3'
import { formatBytes, formatCount, formatPercent } from '../../reports/format.ts'
import type { Reading } from '../../scenarios/self-test/readings.ts'
import type { InstrumentReport, NetworkCosts } from './instruments.ts'

const MARKS = { agrees: '✓', off: '✗', unavailable: '–' } as const

/** The readings as a table, what the networks cost, and a sentence that says whether to trust the instruments. */
export function instrumentsText({ pod, s3Source, readings, networks }: InstrumentReport): string {
  const off = readings.filter(({ verdict }) => verdict === 'off').map(({ instrument }) => instrument)
  const missing = new Set(readings.map(({ reason }) => reason).filter((reason) => reason !== null))
  return [
    readingsTable(readings),
    '',
    pod.mechanism === 'none' ? `! ${pod.reason}` : `  pods: ${pod.mechanism} (${pod.reason})`,
    `  S3 requests counted by: ${s3Source}`,
    ...[...missing].map((reason) => `  – ${reason}`),
    '',
    networksText(networks),
    '',
    off.length === 0
      ? 'The instruments agree with what was done.'
      : `Do not trust figures of: ${off.join(', ')}. Try again on an idle machine first.`,
  ].join('\n')
}

function readingsTable(readings: readonly Reading[]): string {
  const table = newTable(['', 'instrument', 'done', 'recorded', 'difference', 'allowed'])
  for (const reading of readings) {
    const { verdict, instrument, unit, expected, recorded, tolerance } = reading
    table.push([
      MARKS[verdict],
      instrument,
      formatted(expected, unit),
      recorded === null ? '–' : formatted(recorded, unit),
      recorded === null || expected === 0 ? '' : formatPercent(recorded / expected - 1),
      tolerance === 0 ? 'none' : formatPercent(tolerance),
    ])
  }
  return table.toString()
}

function networksText(networks: NetworkCosts): string {
  if (networks.status === 'unavailable') return `– no network profiles: ${networks.reason}`
  const table = newTable(['network profile', 'to', 'direct', 'proxy by itself', 'added in all'])
  for (const [profile, targets] of Object.entries(networks.profiles)) {
    for (const [target, calibration] of Object.entries(targets)) {
      if (calibration === null) continue
      const { directMs, proxyCostMs, addedMs } = calibration
      table.push([profile, target, ...[directMs, proxyCostMs, addedMs].map((ms) => formatted(ms, 'ms'))])
    }
  }
  return `${table.toString()}\n  medians of small requests over an open connection, through ${networks.proxy}`
}

function newTable(head: readonly string[]) {
  return new Table({ head: [...head], style: { head: [], border: [], compact: true } })
}

/** Times keep three decimals, as differences between them are what matters. */
function formatted(value: number, unit: Reading['unit']): string {
  switch (unit) {
    case 'bytes':
      return formatBytes(value)
    case 'count':
      return formatCount(value)
    default:
      return `${value.toFixed(3)} ${unit}`
  }
}
