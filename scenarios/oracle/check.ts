import { z } from 'zod'
import type { TableSpec } from '../../backends/schema.ts'
import type { DuckDbSession } from '../../platform/duckdb/session.ts'
import { identifier } from '../../platform/duckdb/sql.ts'
import type { CheckedEvent, Expectation } from '../processes/protocol.ts'
import { contentHash, contentOf, contentOfKey } from './content.ts'

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
    ...(await metadataComparisons(session, table, relation, found.rows)),
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

const metadataSchema = z.object({ n: z.bigint(), least: z.unknown(), greatest: z.unknown() })

async function metadataComparisons(
  session: DuckDbSession,
  table: TableSpec,
  relation: string,
  scannedRows: number,
): Promise<readonly Finding[]> {
  const key = identifier(table.primaryKey[0] ?? table.columns[0]?.name ?? '')
  const [fast] = await session.query(
    metadataSchema,
    `SELECT count(*) AS n, min(${key}) AS least, max(${key}) AS greatest FROM ${relation}`,
  )
  // A volatile filter keeps the reader from answering out of statistics.
  const [scanned] = await session.query(
    metadataSchema,
    `SELECT count(*) AS n, min(${key}) AS least, max(${key}) AS greatest FROM ${relation} WHERE random() >= 0`,
  )
  return [
    compare('count(*) against scanned rows', scannedRows, Number(fast?.n ?? 0)),
    compare('least key by statistics against a scan', String(scanned?.least), String(fast?.least)),
    compare('greatest key by statistics against a scan', String(scanned?.greatest), String(fast?.greatest)),
  ]
}

async function probeComparisons(
  session: DuckDbSession,
  table: TableSpec,
  relation: string,
  expectation: Expectation,
): Promise<readonly Finding[]> {
  const found: Finding[] = []
  for (const probe of expectation.probes) {
    const content = await contentOfKey(session, table, relation, probe.key)
    const actual = content.rows === 0 ? 'no row' : contentHash(content)
    found.push(compare(`key ${probe.key} by filter`, probe.rowHash ?? 'no row', actual))
  }
  return found
}
