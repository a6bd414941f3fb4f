import type { Finding } from '../../reports/schema.ts'
import type { CheckedEvent, Expectation } from '../processes/protocol.ts'

/**
 * DuckLake compares an upsert's deletes with the other commit's, and there are none where a key is new to both: both add it.
 * `duckdb/ducklake#1393` tells of a DELETE of no row that passes in the same way.
 */
const SAME_NEW_KEYS = 'duckdb/ducklake#1393'
/** Two commits that are the first of a table each write its statistics, and filters then skip files that hold rows. */
const LOST_STATISTICS = 'duckdb/ducklake#1372'

const LOOK_UP = /^key \d+ by filter$/

export interface Rows {
  readonly rowsLost: number
  readonly rowsDoubled: number
  /** Keys that a scan finds and a filter doesn't. */
  readonly keysHidden: number
}

/** What became of the rows. Keys that a filter misses count as hidden only where a scan shows that all are there. */
export function rowsOf(checked: CheckedEvent, expectation: Expectation): Rows {
  const missed = checked.findings.filter(({ check, actual }) => LOOK_UP.test(check) && actual === 'no row')
  return {
    rowsLost: Math.max(0, expectation.distinctKeys - checked.distinctKeys),
    rowsDoubled: checked.rows - checked.distinctKeys,
    keysHidden: checked.distinctKeys === expectation.distinctKeys ? missed.length : 0,
  }
}

/**
 * The findings, with the known fault of DuckLake that they match.
 * @param abandoned batches that were given up, whose rows nobody may expect
 */
export function namedFindings(
  { findings }: CheckedEvent,
  rows: Rows,
  { isDuckLake, abandoned }: { readonly isDuckLake: boolean; readonly abandoned: number },
): readonly Finding[] {
  const kept = abandoned === 0 ? findings : findings.filter(({ check }) => !isExpectation(check))
  const doubled: Finding[] =
    rows.rowsDoubled === 0
      ? []
      : [{ check: 'rows of one key', expected: '1', actual: `${rows.rowsDoubled} rows too many` }]
  return [...doubled, ...kept].map((finding) => ({ ...finding, ...issueOf(finding, rows, isDuckLake) }))
}

/** Whether it compares with what all batches should have made of the table, and not the table with itself. */
function isExpectation(check: string): boolean {
  return check.endsWith('of a full scan') || LOOK_UP.test(check)
}

function issueOf({ check }: Finding, rows: Rows, isDuckLake: boolean): Pick<Finding, 'issue'> {
  if (!isDuckLake) return {}
  if (rows.rowsDoubled > 0 && !check.includes('statistics')) return { issue: SAME_NEW_KEYS }
  const hidden = rows.keysHidden > 0 && LOOK_UP.test(check)
  return hidden || check.includes('by statistics') ? { issue: LOST_STATISTICS } : {}
}
