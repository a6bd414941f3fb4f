import { LakeduelError } from '../../platform/errors.ts'
import { parseShare } from '../../reports/amounts.ts'
import { DEFAULT_TOLERANCES, type MetricKind, type Tolerances } from '../../reports/compare/rules.ts'
import { chosen } from '../bench/nearest.ts'

const KINDS = ['time', 'cpu', 'memory', 'rate', 'count'] as const satisfies readonly MetricKind[]

/**
 * Reads `KIND=SHARE`, as `time=10%` or `count=0.01`, over the defaults.
 * @throws LakeduelError `USAGE` for another form, an unknown kind or a share of 100 % or more
 */
export function tolerancesFrom(assignments: readonly string[]): Tolerances {
  const given = assignments.flatMap((assignment) => {
    const [name = '', text = ''] = assignment.split('=')
    const share = parseShare(text)
    if (share === null) {
      throw new LakeduelError('USAGE', `--tolerance takes KIND=SHARE, not "${assignment}".`, {
        remedy: 'For example: --tolerance time=10% --tolerance count=0.01',
      })
    }
    return chosen('kind of metric', [name.trim()], KINDS).map((kind) => [kind, share] as const)
  })
  return { ...DEFAULT_TOLERANCES, ...Object.fromEntries(given) }
}
