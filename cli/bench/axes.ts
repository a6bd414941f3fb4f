import { LakeduelError } from '../../platform/errors.ts'
import type { Scalar } from '../../reports/schema.ts'
import type { Scenario } from '../../scenarios/scenario.ts'
import { chosen } from './nearest.ts'

/**
 * Reads `AXIS=VALUE,VALUE`, for the axes of the given scenarios.
 * @throws LakeduelError `USAGE` for another form, an axis that none of them has, or a value that makes no sense there
 */
export function parseAxes(
  assignments: readonly string[],
  scenarios: readonly Scenario[],
): Readonly<Record<string, readonly Scalar[]>> {
  return Object.fromEntries(assignments.map((assignment) => parseAxis(assignment, scenarios)))
}

function parseAxis(assignment: string, scenarios: readonly Scenario[]): [string, readonly Scalar[]] {
  const [, name = '', text = ''] = /^([A-Za-z]\w*)=(.+)$/.exec(assignment) ?? []
  if (name === '') {
    throw new LakeduelError('USAGE', `--axis takes NAME=VALUE,VALUE, not "${assignment}".`, {
      remedy: 'For example: --axis partitions=10,100',
    })
  }
  const known = [...new Set(scenarios.flatMap(({ axes }) => axes.map((axis) => axis.name)))]
  chosen('axis', [name], known)
  const users = scenarios.filter(({ axes }) => axes.some((axis) => axis.name === name))
  const values = text.split(',').map((value) => scalar(value.trim()))
  for (const scenario of users) assertAccepted(scenario, name, values)
  return [name, values]
}

function scalar(text: string): Scalar {
  if (text === 'true' || text === 'false') return text === 'true'
  return text !== '' && Number.isFinite(Number(text)) ? Number(text) : text
}

function assertAccepted(scenario: Scenario, name: string, values: readonly Scalar[]): void {
  const axis = scenario.axes.find((one) => one.name === name)
  const refused = values.find((value) => axis?.accepts(value) === false)
  if (axis === undefined || refused === undefined) return
  const used = new Set(Object.values(scenario.profiles).flatMap(({ axes }) => axes[name] ?? []))
  throw new LakeduelError(
    'USAGE',
    `The axis "${name}" of ${scenario.name} (${axis.description}) takes no "${String(refused)}".`,
    {
      facts: { axis: name, value: refused },
      remedy: `Its profiles have: ${[...used].join(', ')}.`,
    },
  )
}
