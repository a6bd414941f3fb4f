import type { Judgement } from './compare/judgement.ts'
import { outcomesAlone } from './compare/outcomes.ts'
import { matches } from './compare/pattern.ts'
import { describeChange, notesOn } from './compare/rows.ts'
import { DEFAULT_TOLERANCES } from './compare/rules.ts'
import { type Comparison, type ComparisonVerdict, compareResults } from './compare.ts'
import { acknowledge } from './gate/acknowledge.ts'
import type { Check, Gate } from './gate/check.ts'
import type { Budget, GateConfig } from './gate/config.ts'
import { checkWithinRun } from './gate/limits.ts'
import type { Results } from './schema.ts'
import { summarize } from './summary.ts'

type Relative = Extract<Budget, { worseBy: number }>

/**
 * Holds results to a gate: right data first, then no regression against the baseline, then the budgets within the run.
 * @param baseline null where the gate has none
 * @param today as `2026-11-26`, which acknowledgements are held against
 */
export function judgeGate(
  config: GateConfig,
  results: Results,
  baseline: Results | null,
  today: string,
): Gate {
  const comparison = baseline === null ? null : compareWith(config, baseline, results)
  const within = config.budgets.flatMap((budget) => (isRelative(budget) ? [] : [budget]))
  const { scenarios } = summarize(results)
  const unacknowledged = [
    ...(comparison === null ? outcomesAlone(results) : comparison.outcomes).map(outcomeCheck),
    ...(comparison?.judgements ?? []).map(judgementCheck),
    ...within.flatMap((budget) => checkWithinRun(budget, scenarios)),
    ...unmatched(config, comparison),
  ]
  const { checks, notes } = acknowledge(unacknowledged, config.acknowledged, today)
  return {
    checks,
    verdict: verdictOf(checks, config),
    notes: [...(comparison === null ? [] : notesOn(comparison)), ...notes],
  }
}

/** The comparison that a gate asks for: its metrics, its tolerances, and those of its budgets. */
export function compareWith(config: GateConfig, baseline: Results, results: Results): Comparison {
  const relative = config.budgets.filter(isRelative)
  return compareResults(baseline, results, {
    tolerances: { ...DEFAULT_TOLERANCES, ...withoutUndefined(config.tolerances) },
    toleranceFor: (judged) => relative.find((budget) => names(budget, judged))?.worseBy,
    judges: (judged) =>
      config.metrics.some((pattern) => matches(pattern, judged.metric)) ||
      relative.some((budget) => names(budget, judged)),
  })
}

function isRelative(budget: Budget): budget is Relative {
  return 'worseBy' in budget
}

function names(
  { scenario, arm, metric }: Budget,
  judged: Pick<Judgement, 'scenario' | 'arm' | 'metric'>,
): boolean {
  return matches(scenario, judged.scenario) && matches(arm, judged.arm) && matches(metric, judged.metric)
}

function outcomeCheck({ verdict, reason, scenario, arm, at }: Comparison['outcomes'][number]): Check {
  const status =
    verdict === 'wrong-data' || verdict === 'inconclusive'
      ? verdict
      : verdict === 'worse'
        ? 'failed'
        : 'passed'
  const text = reason === '' ? 'all cells passed' : reason
  return {
    kind: 'outcome',
    scenario,
    arm,
    at,
    metric: null,
    status,
    text,
    worseBy: null,
    acknowledgement: null,
  }
}

function judgementCheck(judgement: Judgement): Check {
  const { scenario, arm, at, metric, verdict, mayBeWorse, ratio, better } = judgement
  const open = verdict === 'inconclusive' && mayBeWorse
  return {
    kind: 'baseline',
    scenario,
    arm,
    at,
    metric,
    status: verdict === 'worse' ? 'failed' : open ? 'inconclusive' : 'passed',
    text: describeChange(judgement),
    worseBy: ratio === null ? null : (better === 'higher' ? 1 / ratio : ratio) - 1,
    acknowledgement: null,
  }
}

/** A relative budget that names nothing would pass for ever unnoticed. */
function unmatched(config: GateConfig, comparison: Comparison | null): readonly Check[] {
  return config.budgets.filter(isRelative).flatMap((budget) => {
    if (comparison?.judgements.some((judged) => names(budget, judged)) === true) return []
    const { scenario, arm, metric } = budget
    const text =
      comparison === null
        ? `${metric} has no baseline to be held against`
        : `both files have no metric ${metric} of ${arm} in ${scenario}`
    const where = { kind: 'baseline', scenario, arm, at: '', metric } as const
    return [{ ...where, status: 'inconclusive', text, worseBy: null, acknowledgement: null }]
  })
}

function verdictOf(checks: readonly Check[], { inconclusive }: GateConfig): ComparisonVerdict {
  const statuses = new Set(checks.map(({ status }) => status))
  if (statuses.has('wrong-data')) return 'wrong-data'
  if (statuses.has('failed')) return 'regression'
  const open = statuses.has('inconclusive') && inconclusive === 'fail'
  return open || checks.length === 0 ? 'inconclusive' : 'pass'
}

function withoutUndefined(tolerances: GateConfig['tolerances']): Partial<Record<Judgement['kind'], number>> {
  return Object.fromEntries(Object.entries(tolerances).filter(([, share]) => share !== undefined))
}
