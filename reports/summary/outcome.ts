import { enumerate, formatBytes, formatDuration } from '../format.ts'
import type { Cell, Finding } from '../schema.ts'

/** `passed`, or what went wrong with how many of an arm's repetitions. */
export function describeOutcome(cells: readonly Cell[]): string {
  const kinds = Map.groupBy(cells, describeCell)
  if (kinds.size === 1) return [...kinds.keys()].join('')
  return enumerate([...kinds].map(([text, same]) => `${text} (${same.length} of ${cells.length})`))
}

/** What became of a cell, in a few words that name the decisive figure. */
function describeCell(cell: Cell): string {
  switch (cell.status) {
    case 'ok':
      return 'passed'
    case 'wrong-data':
      return `wrong data: ${enumerate([...new Set(cell.findings.map(({ check }) => check))])}`
    case 'oom-killed':
      return `oom-killed at the ${formatBytes(cell.capBytes)} cap in ${cell.phase}`
    case 'engine-error':
      return `failed in ${cell.phase}: ${cell.code}`
    case 'hang':
      return `hung in ${cell.phase}, stopped after ${formatDuration(cell.afterMs)}`
    case 'skipped':
      return 'skipped'
    default:
      return cell satisfies never
  }
}

/** The full text of what went wrong with a cell, or null when nothing did. */
export function explainCell(cell: Cell): string | null {
  switch (cell.status) {
    case 'ok':
      return null
    case 'wrong-data':
      return cell.findings.map(explainFinding).join('; ')
    case 'oom-killed':
      return `killed by ${cell.mechanism} in ${cell.phase} at ${formatBytes(cell.peakBytes)} of ${formatBytes(cell.capBytes)}`
    case 'engine-error':
      return `${cell.phase}: ${cell.code}: ${cell.message}`
    case 'hang':
      return `no progress in ${cell.phase} for ${formatDuration(cell.afterMs)}`
    case 'skipped':
      return cell.reason
    default:
      return cell satisfies never
  }
}

function explainFinding({ check, expected, actual, issue }: Finding): string {
  const known = issue === undefined ? '' : ` (as in ${issue})`
  return `${check}: expected ${expected}, found ${actual}${known}`
}
