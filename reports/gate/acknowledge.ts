import { matches } from '../compare/pattern.ts'
import type { Check } from './check.ts'
import type { Acknowledgement } from './config.ts'

/** What acknowledgements make of checks. Wrong data is never let pass. */
export function acknowledge(
  checks: readonly Check[],
  acknowledgements: readonly Acknowledgement[],
  today: string,
): { readonly checks: readonly Check[]; readonly notes: readonly string[] } {
  const valid = acknowledgements.filter(({ until }) => until >= today)
  const known = checks.map((check) => {
    if (check.status !== 'failed' && check.status !== 'inconclusive') return check
    const acknowledgement = valid.find((one) => covers(one, check))
    return acknowledgement === undefined
      ? check
      : { ...check, status: 'acknowledged' as const, acknowledgement }
  })
  const used = new Set(known.map(({ acknowledgement }) => acknowledgement))
  return {
    checks: known,
    notes: [
      ...acknowledgements
        .filter(({ until }) => until < today)
        .map((one) => `The acknowledgement of ${describe(one)} ended on ${one.until}: ${one.reason}.`),
      ...valid
        .filter((one) => !used.has(one))
        .map((one) => `Nothing needs the acknowledgement of ${describe(one)} any more: ${one.reason}.`),
    ],
  }
}

function covers({ scenario, arm, metric, worseBy }: Acknowledgement, check: Check): boolean {
  if (
    !matches(scenario, check.scenario) ||
    !matches(arm, check.arm) ||
    !matches(metric, check.metric ?? 'outcome')
  )
    return false
  return worseBy === undefined || (check.worseBy !== null && check.worseBy <= worseBy)
}

function describe({ scenario, arm, metric }: Acknowledgement): string {
  return `${metric} of ${arm} in ${scenario}`
}
