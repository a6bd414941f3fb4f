import type { Results, Scenario, Warning } from './schema.ts'
import { type ArmSummary, summarizeArms } from './summary/arms.ts'
import { judge, type Verdict } from './summary/verdict.ts'
import { collectWarnings, listUnmeasured } from './summary/warnings.ts'

export interface ScenarioSummary {
  readonly scenario: Scenario
  readonly name: string
  /** Ranked; arms that failed come last and are never dropped. */
  readonly arms: readonly ArmSummary[]
  readonly verdict: Verdict
}

export interface Summary {
  readonly scenarios: readonly ScenarioSummary[]
  readonly warnings: readonly Warning[]
  readonly unmeasured: readonly string[]
}

/** What all reports say: who wins each scenario, the figures behind it, and what makes them doubtful. */
export function summarize(results: Results): Summary {
  const scenarios = results.scenarios.map((scenario) => {
    const arms = summarizeArms(results, scenario.name)
    return { scenario, name: scenario.name, arms, verdict: judge(arms) }
  })
  return {
    scenarios,
    warnings: collectWarnings(results, scenarios),
    unmeasured: listUnmeasured(results),
  }
}
