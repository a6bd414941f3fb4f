import { enumerate, formatBytes, formatDuration } from '../format.ts'
import type { Cell } from '../schema.ts'

/** `passed`, or what went wrong with how many of an arm's repetitions. */
export function describeOutcome(cells: readonly Cell[]): string {
  const kinds = Map.groupBy(cells, describeCell)
  if (kinds.size === 1) return [...kinds.keys()].join('')
  return enumerate([...kinds].map(([text, same]) => `${text} (${same.length} of ${cells.length})`))
}

/** What became of a cell, in a few words that name the decisive figure. */
function describeCell(cell: Cell): string {
  switch (cell.status) {
    case 'passed':
      return 'passed'
    case 'wrong':
      return `wrong table: ${enumerate([...new Set(cell.findings.map((finding) => finding.check))])}`
    case 'oom-killed':
      return `oom-killed at the ${formatBytes(cell.capBytes)} cap in ${cell.phase}`
    case 'engine-out-of-memory':
      return `engine out of memory in ${cell.phase}`
    case 'hang':
      return `hung in ${cell.phase}, stopped after ${formatDuration(cell.afterMs)}`
    case 'failed':
      return `failed in ${cell.phase}: ${cell.code}`
    case 'skipped':
      return 'skipped'
    default:
      return cell satisfies never
  }
}

/** The full text of what went wrong with a cell, or null when nothing did. */
export function explainCell(cell: Cell): string | null {
  switch (cell.status) {
    case 'passed':
      return null
    case 'wrong':
      return cell.findings
        .map(({ check, expected, actual }) => `${check}: expected ${expected}, found ${actual}`)
        .join('; ')
    case 'oom-killed':
      return `killed by ${cell.mechanism} in ${cell.phase} at ${formatBytes(cell.peakBytes)} of ${formatBytes(cell.capBytes)}`
    case 'engine-out-of-memory':
      return `${cell.phase}: ${cell.message}`
    case 'hang':
      return `no progress in ${cell.phase} for ${formatDuration(cell.afterMs)}`
    case 'failed':
      return `${cell.phase}: ${cell.code}: ${cell.message}`
    case 'skipped':
      return cell.reason
    default:
      return cell satisfies never
  }
}
