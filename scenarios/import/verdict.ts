import type { Finding, Metric } from '../../reports/schema.ts'
import { cost } from '../measure/metric.ts'
import type { Measured } from '../scenario.ts'
import type { Contents } from './contents.ts'

/** Rows that an import lost or doubled, by what an undisturbed one left. */
export function lossMetrics(found: Contents, expected: Contents): Record<string, Metric> {
  return {
    rowsLost: cost(Math.max(0, Number(expected.keys) - Number(found.keys))),
    rowsDoubled: cost(Number(found.rows) - Number(found.keys)),
  }
}

/** Compares with an undisturbed import: an independent reader's rows, keys and content. */
export function judged(found: Contents, expected: Contents): Pick<Measured, 'findings' | 'oracle'> {
  const checks = ['rows', 'keys', 'hash'] as const
  const findings: Finding[] = checks
    .filter((check) => found[check] !== expected[check])
    .map((check) => ({ check, expected: expected[check], actual: found[check] }))
  const oracle = {
    rows: Number(found.rows),
    distinctKeys: Number(found.keys),
    contentHash: found.hash,
    checks: [...checks],
  }
  return { findings, oracle }
}
