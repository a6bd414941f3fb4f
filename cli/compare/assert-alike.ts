import { LakeduelError } from '../../platform/errors.ts'
import { describeGroup } from '../../reports/compare/pairs.ts'
import type { Comparison } from '../../reports/compare.ts'

/**
 * Figures of two machines or two fixtures side by side would look like a comparison, and are none.
 * @throws LakeduelError `USAGE` when the files share no cells, or their conditions differ and `mixed` isn't set
 */
export function assertAlike(
  { differences, shared }: Pick<Comparison, 'differences' | 'shared'>,
  { mixed }: { readonly mixed?: boolean },
): void {
  const { conditions } = differences
  if (shared === 0) {
    throw new LakeduelError('USAGE', 'The files have no arm at any point of a scenario in common.', {
      remedy: 'Give two runs of the same scenarios and arms, the baseline first.',
    })
  }
  if (conditions.length === 0 || mixed === true) return
  throw new LakeduelError('USAGE', `The files can't be compared. ${conditions.join('; ')}.`, {
    facts: { differences: conditions },
    remedy:
      'Measure both on one machine with the same settings, or say --mixed to compare them all the same.',
  })
}

/**
 * Of what failed on both sides alike, nothing was compared, whatever is the same about it.
 * @throws LakeduelError `USAGE` with what went wrong, when no arm has a figure on either side
 */
export function assertMeasured({ outcomes, judgements }: Pick<Comparison, 'outcomes' | 'judgements'>): void {
  const failed = outcomes.filter(({ verdict, reason }) => verdict === 'same' && reason !== '')
  if (judgements.length > 0 || failed.length === 0 || failed.length < outcomes.length) return
  const reasons = failed.map((outcome) => `${describeGroup(outcome)}: ${outcome.reason}`)
  throw new LakeduelError('USAGE', `Nothing was measured on either side.\n${reasons.join('\n')}`, {
    facts: { reasons },
    remedy: 'Put right what failed, or choose arms and scenarios that run here.',
  })
}
