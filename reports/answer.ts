import type { Answer } from './answer/answer.ts'
import { answerConcurrency } from './answer/concurrency.ts'
import { type Decision, decide } from './answer/decisions.ts'
import { answerDelta } from './answer/delta.ts'
import type { Evidence } from './answer/evidence.ts'
import { answerMemory } from './answer/memory.ts'
import { evidenceOf } from './answer/results-set.ts'
import { enumerate } from './format.ts'
import type { Results, Warning } from './schema.ts'
import { listUnmeasured } from './summary/unmeasured.ts'
import { summarize } from './summary.ts'
import { environmentTable } from './tables/setting.ts'
import type { Table } from './tables/table.ts'

/** An answer with what these results lack to sharpen it. */
export interface GivenAnswer extends Answer {
  readonly unmeasured: readonly string[]
}

export interface Answers {
  readonly answers: readonly GivenAnswer[]
  readonly decisions: readonly Decision[]
  readonly runs: readonly AnsweringRun[]
}

/** A run that the answers draw on: under which conditions, how to repeat it, and what makes it doubtful. */
interface AnsweringRun {
  readonly date: string
  readonly command: string
  /** The scenarios whose figures are of this run. */
  readonly scenarios: readonly string[]
  readonly conditions: Table
  readonly warnings: readonly Warning[]
  readonly unmeasured: readonly string[]
}

/** The three answers, as far as the results of some runs give them. */
export function answerFrom(runs: readonly Results[]): Answers {
  const evidence = evidenceOf(runs)
  const answers = [answerMemory(evidence), answerConcurrency(evidence), answerDelta(evidence)]
  return {
    answers: answers.map((answer) => ({ ...answer, unmeasured: unmeasuredOf(answer, evidence) })),
    decisions: decide(evidence),
    runs: runs.map((results) => describeRun(results, evidence)),
  }
}

function unmeasuredOf({ scenarios, gaps }: Answer, evidence: Evidence): readonly string[] {
  const lacking = scenarios.filter((name) => !evidence.has(name))
  const failed = scenarios.flatMap((name) => failedEverywhere(name, evidence))
  return [
    ...(lacking.length === 0 ? [] : [`Nothing that passed of ${enumerate(lacking)} is in these results.`]),
    ...failed,
    ...gaps,
  ]
}

/** Arms that no point of a scenario tells anything about but that they failed. */
function failedEverywhere(name: string, evidence: Evidence): readonly string[] {
  const arms = evidence.get(name)?.points.flatMap((point) => point.arms) ?? []
  return [...Map.groupBy(arms, ({ arm }) => arm)].flatMap(([arm, everywhere]) => {
    if (everywhere.some(({ passed }) => passed.length > 0)) return []
    const outcomes = [...new Set(everywhere.map(({ outcome }) => outcome))]
    return [`${arm} in ${name}, which passed nowhere: ${enumerate(outcomes)}.`]
  })
}

function describeRun(results: Results, evidence: Evidence): AnsweringRun {
  const { run } = results
  const { warnings, scenarios } = summarize(results)
  const used = scenarios.filter(({ name, scenario }) => evidence.get(name)?.scenario === scenario)
  return {
    date: run.startedAt.slice(0, 10),
    command: run.command,
    scenarios: used.map(({ name }) => name),
    conditions: environmentTable(results),
    warnings,
    unmeasured: listUnmeasured(results),
  }
}
