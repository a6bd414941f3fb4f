import { metricsOf } from '../metrics.ts'
import type { Cell, Results } from '../schema.ts'
import { explainCell } from '../summary/outcome.ts'
import type { Verdict } from './judgement.ts'
import { type CellPair, type Group, groupsOf, pairsOf } from './pairs.ts'

/** What became of an arm at a point in both files, apart from its figures. */
export interface Outcome extends Pick<Group, 'scenario' | 'arm' | 'point' | 'at'> {
  /** `wrong-data` fails whatever else is better; `new` has nothing to be held against. */
  readonly verdict: Verdict | 'wrong-data' | 'new'
  /** What happened, as a clause; empty where both passed everything. */
  readonly reason: string
}

export function outcomeOf(group: Group): Outcome {
  const { scenario, arm, point, at } = group
  return { scenario, arm, point, at, ...judge(group) }
}

/**
 * The outcomes of a run by itself: what is wrong or failed needs no baseline to be so. An arm that has too little memory is a
 * result; a budget on its figures fails.
 */
export function outcomesAlone(results: Results): readonly Outcome[] {
  return groupsOf({ ...results, cells: [] }, results).map((group) => {
    const { scenario, arm, point, at, candidate } = group
    const place = { scenario, arm, point, at }
    const failed = failuresOf(candidate).filter((cell) => !lacksMemory(cell))
    const [first] = [...failed.filter(({ status }) => status === 'wrong-data'), ...failed]
    if (first === undefined) return { ...place, verdict: 'new', reason: '' }
    const verdict = first.status === 'wrong-data' ? 'wrong-data' : 'worse'
    return { ...place, verdict, reason: `${failed.length} of ${candidate.length} failed: ${explain(first)}` }
  })
}

function judge(group: Group): Pick<Outcome, 'verdict' | 'reason'> {
  const { baseline, candidate } = group
  const [before, after] = [failuresOf(baseline), failuresOf(candidate)]
  const wrong = [
    ...candidate.filter(({ status }) => status === 'wrong-data').map(explain),
    ...lostRows(group),
  ]
  if (wrong[0] !== undefined) return { verdict: 'wrong-data', reason: wrong[0] }
  if (baseline.length === 0) return { verdict: 'new', reason: 'the baseline has no such cell' }
  if (ran(candidate).length === 0)
    return ran(baseline).length === 0
      ? { verdict: 'same', reason: 'measured in neither file' }
      : { verdict: 'inconclusive', reason: `the candidate did not measure it${reasonFor(candidate)}` }
  return judgeFailures(group, before, after)
}

/** One failure where there was none is worse; among failures on both sides only a clear change is told from chance. */
function judgeFailures(
  { baseline, candidate }: Group,
  before: readonly Cell[],
  after: readonly Cell[],
): Pick<Outcome, 'verdict' | 'reason'> {
  const [first] = after
  const told = `${after.length} of ${candidate.length} failed, ${before.length} of ${baseline.length} before`
  if (first === undefined)
    return before.length === 0 ? { verdict: 'same', reason: '' } : { verdict: 'better', reason: told }
  const reason = `${told}: ${explain(first)}`
  if (before.length === 0) return { verdict: 'worse', reason }
  const [shareBefore, shareAfter] = [before.length / baseline.length, after.length / candidate.length]
  return { verdict: shareAfter > shareBefore ? 'inconclusive' : 'same', reason }
}

/**
 * Both files passed their own oracle; what they found must be the same all the same. Only where the repetitions of the baseline
 * agree with one another, since some scenarios store what they had time for.
 */
function lostRows(group: Group): readonly string[] {
  const pairs = pairsOf(group)
  return [...contentDifferences(pairs), ...workDifferences(pairs)]
}

function contentDifferences(pairs: readonly CellPair[]): readonly string[] {
  const contents = pairs.map(
    ({ baseline, candidate }) => [contentOf(baseline), contentOf(candidate)] as const,
  )
  const known = new Set(contents.map(([before]) => before).filter((content) => content !== null))
  if (known.size !== 1) return []
  return contents.flatMap(([before, after]) =>
    before === null || after === null || before === after ? [] : [`the table holds ${after}, not ${before}`],
  )
}

function contentOf(cell: Cell): string | null {
  if (cell.status !== 'ok' || cell.oracle === null) return null
  const { rows, distinctKeys, contentHash } = cell.oracle
  return `${rows} rows with ${distinctKeys} keys and the content ${contentHash}`
}

/** The rows that were applied, which no version may change. */
function workDifferences(pairs: readonly CellPair[]): readonly string[] {
  const rows = pairs.map(
    ({ baseline, candidate }) => [appliedRows(baseline), appliedRows(candidate)] as const,
  )
  if (new Set(rows.map(([before]) => before).filter((count) => count !== null)).size !== 1) return []
  return rows.flatMap(([before, after]) =>
    before === null || after === null || before === after
      ? []
      : [`${after} rows were applied, not ${before}`],
  )
}

function appliedRows(cell: Cell): number | null {
  return cell.status === 'ok' ? (metricsOf(cell).get('rowsApplied')?.value ?? null) : null
}

function failuresOf(cells: readonly Cell[]): readonly Cell[] {
  return ran(cells).filter(({ status }) => status !== 'ok')
}

function lacksMemory(cell: Cell): boolean {
  return (
    cell.status === 'oom-killed' || (cell.status === 'engine-error' && cell.code === 'ENGINE_OUT_OF_MEMORY')
  )
}

function ran(cells: readonly Cell[]): readonly Cell[] {
  return cells.filter(({ status }) => status !== 'skipped')
}

function reasonFor(cells: readonly Cell[]): string {
  const [reason] = cells.flatMap((cell) => (cell.status === 'skipped' ? [cell.reason] : []))
  return reason === undefined ? '' : `: ${reason}`
}

function explain(cell: Cell): string {
  return explainCell(cell) ?? ''
}
