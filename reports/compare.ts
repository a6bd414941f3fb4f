import { type Differences, differencesBetween } from './compare/comparable.ts'
import { isExact, judgeExact } from './compare/exact.ts'
import type { Judgement } from './compare/judgement.ts'
import { type Measured, measuredOf } from './compare/measured.ts'
import { type Outcome, outcomeOf } from './compare/outcomes.ts'
import { judgePaired, pairedMetric } from './compare/paired.ts'
import { groupsOf, isInterleaved, pairsOf } from './compare/pairs.ts'
import {
  appliedTolerance,
  DEFAULT_TOLERANCES,
  FAMILY_LEVEL,
  type Tolerances,
  VARYING_COUNT_TOLERANCE,
} from './compare/rules.ts'
import type { Results } from './schema.ts'
import { holm } from './statistics/holm.ts'
import { CONFIDENCE } from './statistics/median-interval.ts'

export interface CompareOptions {
  /** By kind of metric. */
  readonly tolerances?: Tolerances
  /** A tolerance of one metric's own, or undefined for that of its kind. */
  readonly toleranceFor?: (judged: Pick<Measured, 'scenario' | 'arm' | 'metric'>) => number | undefined
  /** The chance of one false alarm in the whole comparison. */
  readonly familyLevel?: number
  /** Of each interval. */
  readonly confidence?: number
  /** Which metrics are judged: fewer make a smaller family, which needs fewer pairs. Default: all. */
  readonly judges?: (measured: Pick<Measured, 'scenario' | 'arm' | 'metric'>) => boolean
}

/** What one results file says against another. */
export interface Comparison {
  readonly differences: Differences
  /** Whether the files were measured turn by turn. If not, a change of the machine between them counts as the candidate's. */
  readonly interleaved: boolean
  /** In how many arms and points both files have cells. */
  readonly shared: number
  readonly outcomes: readonly Outcome[]
  readonly judgements: readonly Judgement[]
  /** How many noisy metrics were judged together, and the chance of one false alarm among them all. */
  readonly family: number
  readonly familyLevel: number
  readonly verdict: ComparisonVerdict
}

export type ComparisonVerdict = 'pass' | 'regression' | 'wrong-data' | 'inconclusive'

export const EXIT_CODES: Readonly<Record<ComparisonVerdict, number>> = {
  pass: 0,
  regression: 1,
  'wrong-data': 2,
  inconclusive: 3,
}

/**
 * Holds every arm at every point of the candidate against the same of the baseline: whether its data are right, whether it
 * still runs, and each metric by the rule of its kind. Files without a common cell give no judgement and are inconclusive.
 */
export function compareResults(
  baseline: Results,
  candidate: Results,
  options: CompareOptions = {},
): Comparison {
  const { tolerances = DEFAULT_TOLERANCES, toleranceFor, judges = () => true } = options
  const { familyLevel = FAMILY_LEVEL, confidence = CONFIDENCE } = options
  const groups = groupsOf(baseline, candidate)
  const interleaved = groups.every(isInterleaved)
  const outcomes = groups.map(outcomeOf)
  const measured = groups.flatMap(measuredOf).filter(judges)
  const toleranceOf = (one: Measured) =>
    appliedTolerance(one.kind, toleranceFor?.(one) ?? tolerances[one.kind], interleaved)
  const { judgements, family } = judgeAll(measured, toleranceOf, { familyLevel, confidence })
  return {
    differences: differencesBetween(baseline, candidate),
    interleaved,
    shared: groups.filter((group) => pairsOf(group).length > 0).length,
    outcomes,
    judgements,
    family,
    familyLevel,
    verdict: overall(outcomes, judgements),
  }
}

/** Counts without noise by themselves, all others as one family. In the order of `measured`. */
function judgeAll(
  measured: readonly Measured[],
  tolerance: (one: Measured) => number,
  { familyLevel, confidence }: { readonly familyLevel: number; readonly confidence: number },
): { readonly judgements: readonly Judgement[]; readonly family: number } {
  const noisy = measured
    .filter((one) => !isExact(one))
    .map((one) =>
      pairedMetric(
        one,
        one.kind === 'count' ? Math.max(VARYING_COUNT_TOLERANCE, tolerance(one)) : tolerance(one),
      ),
    )
  // What differs in no pair can't be called significant by any test, so it takes no part in the family (Tarone 1990).
  const family = noisy.filter(({ logs }) => logs?.some((log) => log !== 0))
  const adjusted = holm(family.map(({ p }) => p))
  const byFamily = new Map(family.map((metric, index) => [metric, adjusted[index] ?? 1]))
  const judged = new Map(
    noisy.map((metric) => [
      metric.measured,
      judgePaired(metric, byFamily.get(metric) ?? 1, {
        level: familyLevel / Math.max(1, family.length),
        familyLevel,
        confidence,
      }),
    ]),
  )
  const judgements = measured.map((one) => judged.get(one) ?? judgeExact(one, tolerance(one)))
  return { judgements, family: family.length }
}

function overall(outcomes: readonly Outcome[], judgements: readonly Judgement[]): ComparisonVerdict {
  const verdicts = new Set([...outcomes, ...judgements].map(({ verdict }) => verdict))
  if (verdicts.has('wrong-data')) return 'wrong-data'
  if (verdicts.has('worse')) return 'regression'
  const open = judgements.some(({ verdict, mayBeWorse }) => verdict === 'inconclusive' && mayBeWorse)
  const unknown = outcomes.some(({ verdict }) => verdict === 'inconclusive')
  const nothing = outcomes.every(({ verdict }) => verdict === 'new')
  return open || unknown || nothing ? 'inconclusive' : 'pass'
}
