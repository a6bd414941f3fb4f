import { metricsOf } from '../metrics.ts'
import type { Metric } from '../schema.ts'
import { type Group, pairsOf } from './pairs.ts'
import { isJudged, LEAST_PAIRS } from './rules.ts'

/** The values of one metric in the pairs that both passed: `baseline[i]` and `candidate[i]` are of one repetition. */
export interface Measured
  extends Pick<Group, 'scenario' | 'arm' | 'point' | 'at'>,
    Pick<Metric, 'unit' | 'kind' | 'better'> {
  readonly metric: string
  readonly baseline: readonly number[]
  readonly candidate: readonly number[]
}

/**
 * The metrics of a group that can be judged, in the order in which the cells give them. What only a few of its repetitions
 * measure, as maintenance, which each arm does once, never gets enough pairs and is left out.
 */
export function measuredOf(group: Group): readonly Measured[] {
  const pairs = pairsOf(group)
    .filter(({ baseline, candidate }) => baseline.status === 'ok' && candidate.status === 'ok')
    .map(({ baseline, candidate }) => ({ baseline: metricsOf(baseline), candidate: metricsOf(candidate) }))
  const names = new Set(
    pairs.flatMap((pair) =>
      [...pair.baseline].flatMap(([name, metric]) => (isJudged(name, metric) ? [name] : [])),
    ),
  )
  return [...names].flatMap((metric) => {
    const values = pairs.flatMap((pair) => {
      const [before, after] = [pair.baseline.get(metric), pair.candidate.get(metric)]
      return before === undefined || after === undefined || before.unit !== after.unit
        ? []
        : [{ before, after }]
    })
    const [some] = values
    if (some === undefined || (values.length < pairs.length && values.length < LEAST_PAIRS)) return []
    const { scenario, arm, point, at } = group
    const { unit, kind, better } = some.before
    const baseline = values.map(({ before }) => before.value)
    const candidate = values.map(({ after }) => after.value)
    return [{ scenario, arm, point, at, metric, unit, kind, better, baseline, candidate }]
  })
}
