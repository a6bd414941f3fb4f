import { z } from 'zod'
import type { TableSpec } from '../../backends/schema.ts'
import type { DuckDbSession } from '../../platform/duckdb/session.ts'
import type { CheckedEvent, Expectation } from '../processes/protocol.ts'
import type { Content, KeyRange } from './content.ts'
import { contentHash, contentOf, contentsOfKeys, firstKey, NO_ROWS } from './content.ts'

type Finding = CheckedEvent['findings'][number]

/**
 * Holds a table, as a fresh reader sees it, against what the generator says that it must hold:
 * - rows, distinct keys and content of a full scan;
 * - `count(*)`, and the least and the greatest key, which a reader may answer from metadata alone;
 * - each probed key through a filter, which a reader may answer by pruning files: statistics that hide rows show here.
 */
export async function checkContent(
  session: DuckDbSession,
  table: TableSpec,
  relation: string,
  expectation: Expectation,
): Promise<CheckedEvent> {
  const content = await contentOf(session, table, relation)
  const found = { rows: content.rows, distinctKeys: content.distinctKeys, contentHash: contentHash(content) }
  const comparisons = [
    compare('rows of a full scan', expectation.rows, found.rows),
    compare('distinct keys of a full scan', expectation.distinctKeys, found.distinctKeys),
    compare('content hash of a full scan', expectation.contentHash, found.contentHash),
    ...(await metadataComparisons(session, table, relation, content)),
    ...(await probeComparisons(session, table, relation, expectation)),
  ]
  return {
    event: 'checked',
    ...found,
    checks: comparisons.map(({ check }) => check),
    findings: comparisons.filter(({ expected, actual }) => expected !== actual),
  }
}

function compare(check: string, expected: string | number, actual: string | number): Finding {
  return { check, expected: String(expected), actual: String(actual) }
}

const metadataSchema = z.object({
  n: z.bigint(),
  least: z.string().nullable(),
  greatest: z.string().nullable(),
})

/** Asks for nothing but what a reader can answer without a scan. */
async function metadataComparisons(
  session: DuckDbSession,
  table: TableSpec,
  relation: string,
  scanned: Content & KeyRange,
): Promise<readonly Finding[]> {
  const key = firstKey(table)
  const [told] = await session.query(
    metadataSchema,
    `SELECT count(*) AS n, CAST(min(${key}) AS VARCHAR) AS least, CAST(max(${key}) AS VARCHAR) AS greatest FROM ${relation}`,
  )
  return [
    compare('count(*) against scanned rows', scanned.rows, Number(told?.n ?? 0)),
    compare('least key by statistics against a scan', scanned.leastKey, told?.least ?? 'none'),
    compare('greatest key by statistics against a scan', scanned.greatestKey, told?.greatest ?? 'none'),
  ]
}

async function probeComparisons(
  session: DuckDbSession,
  table: TableSpec,
  relation: string,
  { probes }: Expectation,
): Promise<readonly Finding[]> {
  const keys = probes.map(({ key }) => key)
  const contents = await contentsOfKeys(session, table, relation, keys)
  return probes.map(({ key, rowHash }, index) => {
    const content = contents[index] ?? NO_ROWS
    return compare(
      `key ${key} by filter`,
      rowHash ?? 'no row',
      content.rows === 0 ? 'no row' : contentHash(content),
    )
  })
}
