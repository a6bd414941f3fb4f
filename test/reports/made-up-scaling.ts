/** MADE-UP results of a scenario with axes, for the tests of the reports. */
import { writeFileSync } from 'node:fs'
import { argv } from 'node:process'
import type { Cell, Metric, Results } from '../../reports/schema.ts'
import { hungCell, madeUpResults, madeUpScenario, measuredCell, oomKilledCell } from './made-up-results.ts'

const WRITERS = [1, 4, 16]
const TARGETS = ['same table', 'own table']

const rate = (value: number): Metric => ({ value, unit: 'commits/s', better: 'higher', kind: 'rate' })
const latency = (value: number): Metric => ({ value, unit: 'ms', better: 'lower', kind: 'time' })

/** DuckLake's commits per second are proportional to the writers, Delta's stay the same; each repetition is a bit faster. */
export function madeUpScaling({ repeat = 3 }: { readonly repeat?: number } = {}): Results {
  const arms = ['ducklake/merge', 'delta/merge']
  const rounds = Array.from({ length: repeat }, (_, repetition) => repetition)
  const cells: Cell[] = TARGETS.flatMap((target) =>
    WRITERS.flatMap((writers) =>
      rounds.flatMap((repetition) =>
        arms.map((arm) => {
          const faster = 1 + (repetition - Math.floor(repeat / 2)) * 0.01
          const commits = (arm === 'delta/merge' ? 10 : 6 * writers) * faster
          const where = { scenario: 'concurrency', arm, repetition, point: { writers, target } }
          return measuredCell(where, {
            commitsPerSecond: rate(commits),
            commitLatencyP50Ms: latency((1000 * writers) / commits),
          })
        }),
      ),
    ),
  )
  const scenario = madeUpScenario({
    name: 'concurrency',
    question: 'What do writers cost one another?',
    axes: [
      { name: 'writers', unit: null, description: 'processes that commit at once', values: WRITERS },
      { name: 'target', unit: null, description: 'what they write to', values: TARGETS },
    ],
    arms,
    repeat,
  })
  const { run, ...rest } = madeUpResults({ repeat: 1 })
  const plan = { ...run.plan, scenarios: ['concurrency'], arms, repeat }
  return { ...rest, run: { ...run, plan }, scenarios: [scenario], cells }
}

/** The same, but Delta is killed at 16 writers to the same table, and DuckLake hangs there once. */
export function madeUpScalingWithFailures(): Results {
  const results = madeUpScaling()
  const cells = results.cells.map((cell): Cell => {
    const { arm, point, repetition } = cell
    if (point['writers'] !== 16 || point['target'] !== 'same table') return cell
    if (arm === 'delta/merge') return { ...oomKilledCell('concurrency', arm, repetition), point }
    return repetition > 0 ? cell : { ...hungCell('concurrency', arm, repetition), point }
  })
  return { ...results, cells }
}

const [, script, target] = argv
if (import.meta.filename === script && target !== undefined)
  writeFileSync(target, JSON.stringify(madeUpScaling()))
