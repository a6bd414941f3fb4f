import { formatPoint } from '../format.ts'
import type { TestCase } from '../junit.ts'
import { phasesOf } from '../metrics.ts'
import type { Cell, Results } from '../schema.ts'
import { explainCell } from '../summary/outcome.ts'

/** Every cell as a test case: it passes when it ended with right data. */
export function cellTestCases(files: readonly Results[]): readonly TestCase[] {
  return files.flatMap(({ cells, scenarios }) => {
    const axes = new Map(scenarios.map(({ name, axes: own }) => [name, own]))
    return cells.map((cell) => testCaseOf(cell, formatPoint(cell.point, axes.get(cell.scenario) ?? [])))
  })
}

function testCaseOf(cell: Cell, at: string): TestCase {
  const { scenario, arm, repetition, control, status } = cell
  const outcome = status === 'ok' ? 'passed' : status === 'skipped' ? 'skipped' : 'failed'
  const number = `repetition ${repetition + 1}${control ? ', again' : ''}`
  const wallMs = phasesOf(cell).reduce((sum, [, phase]) => sum + phase.wallMs, 0)
  return {
    suite: scenario,
    group: arm,
    name: at === '' ? number : `${at}, ${number}`,
    outcome,
    text: outcome === 'passed' ? '' : `${status}: ${explainCell(cell) ?? ''}`,
    seconds: wallMs / 1000,
  }
}
