import { expect, test } from 'vitest'
import { resultsCsv } from '../../reports/export/csv.ts'
import { renderMarkdown } from '../../reports/markdown.ts'
import type { Results } from '../../reports/schema.ts'
import { failedCell, madeUpResults } from './made-up-results.ts'

test('the report begins with the verdict of each scenario', () => {
  const [, first, second] = renderMarkdown(madeUpResults()).split('\n\n')
  expect(first).toMatch(/^\*\*merge-partitions:\*\* ducklake\/merge is 5\.2× faster than delta\/merge-loop/)
  expect(second).toMatch(/^\*\*wide-json:\*\* ducklake\/merge is 2\.4× faster than delta\/merge-tuned/)
})

test('every table has as many fields in each row as in its head', () => {
  const tables = renderMarkdown(madeUpResults())
    .split('\n\n')
    .filter((block) => block.startsWith('| '))
  expect(tables).toHaveLength(13)
  for (const table of tables) {
    const widths = table.split('\n').map((line) => line.split(/(?<!\\)\|/).length)
    expect(new Set(widths).size).toBe(1)
  }
})

test('an engine message can neither break a table nor become HTML', () => {
  const results = madeUpResults({ repeat: 1, arms: ['delta/merge', 'ducklake/merge'] })
  const cells = results.cells.map((cell) =>
    cell.status === 'oom-killed'
      ? failedCell(cell.scenario, cell.arm, cell.repetition, 'a | b\n<img src=x>')
      : cell,
  )
  const hostile: Results = { ...results, cells }
  const text = renderMarkdown(hostile)
  expect(text).toContain(String.raw`a \| b &lt;img src=x>`)
  expect(text).not.toContain('<img')
})

test('the last section says how to repeat the run', () => {
  expect(renderMarkdown(madeUpResults())).toMatch(
    /## Repeat it\n\n {4}lakeduel bench --profile standard .*\n$/,
  )
})

test('no control character of a name reaches a terminal that Markdown or CSV is printed on', () => {
  const steering = '\u001B]0;owned\u0007\u009B2J'
  const { run, environment, ...rest } = madeUpResults({ repeat: 1 })
  const cells = rest.cells.map((cell) => ({ ...cell, scenario: steering }))
  const scenarios = rest.scenarios.slice(0, 1).map((one) => ({ ...one, name: steering, question: steering }))
  const warnings = [{ message: steering, remedy: steering }]
  const hostile = {
    ...rest,
    run: { ...run, command: steering, id: steering },
    environment: { ...environment, cpuModel: steering },
    cells,
    scenarios,
    warnings,
  }
  for (const text of [renderMarkdown(hostile), resultsCsv([hostile])]) {
    expect(text).toContain('u{1b}]0;owned')
    expect(text.replaceAll(/[\t\r\n]/g, '')).not.toMatch(/\p{Cc}/u)
  }
})
