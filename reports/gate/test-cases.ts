import type { TestCase } from '../junit.ts'
import type { Check } from './check.ts'
import { describeCheck } from './limits.ts'

const OUTCOMES: Readonly<Record<Check['status'], TestCase['outcome']>> = {
  passed: 'passed',
  failed: 'failed',
  'wrong-data': 'failed',
  inconclusive: 'skipped',
  acknowledged: 'skipped',
}

/** A check as a test case. What is inconclusive is skipped there; the exit code of the gate says whether that is let pass. */
export function testCaseOf(check: Check): TestCase {
  const { scenario, arm, at, metric, kind, status } = check
  return {
    suite: scenario,
    group: arm,
    name: [metric ?? 'cells', ...(at === '' ? [] : [`at ${at}`]), `(${kind})`].join(' '),
    outcome: OUTCOMES[status],
    text: status === 'passed' ? check.text : `${status}: ${describeCheck(check)}`,
  }
}
