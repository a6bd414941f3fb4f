import { assert, expect, test } from 'vitest'
import { z } from 'zod'
import { resultsSchema } from '../../reports/schema/results.ts'
import { parseResults, ResultsCorruptError } from '../../reports/schema.ts'
import { madeUpResults, madeUpScenario, measuredCell, passedCell } from './made-up-results.ts'

function corruption(text: string): ResultsCorruptError {
  try {
    parseResults(text)
  } catch (error) {
    assert(error instanceof ResultsCorruptError)
    return error
  }
  throw new Error('The text was parsed.')
}

test('a results file survives being written and read', () => {
  const results = madeUpResults()
  expect(parseResults(JSON.stringify(results))).toEqual(results)
})

test('a file that was cut off names no field and says what may have happened', () => {
  const error = corruption(JSON.stringify(madeUpResults()).slice(0, 900))
  expect(error).toMatchObject({ code: 'RESULTS_CORRUPT', path: '' })
  expect(error.message).toContain('it is no JSON')
  expect(error.remedy).toContain('cut off')
})

test('a wrong field is named by its path', () => {
  const broken = structuredClone(madeUpResults())
  Object.assign(broken.environment, { cores: 'two' })
  expect(corruption(JSON.stringify(broken)).path).toBe('environment.cores')
})

test('a cell that passed without its phases is no cell', () => {
  const results = madeUpResults()
  const cells = results.cells.map((cell, index) =>
    index === 3 ? Object.fromEntries(Object.entries(cell).filter(([key]) => key !== 'phases')) : cell,
  )
  expect(corruption(JSON.stringify({ ...results, cells })).path).toBe('cells[3].phases')
})

test('a later schema version is told apart from a broken file', () => {
  const error = corruption(JSON.stringify({ ...madeUpResults(), schemaVersion: 3 }))
  expect(error.message).toContain('it is 3, and this lakeduel reads versions 1 to 2')
  expect(error.remedy).toContain('release that wrote the file')
})

test.each([Number.NaN, Number.POSITIVE_INFINITY])(
  'a figure of %s is refused, since JSON makes it null',
  (value) => {
    const results = madeUpResults()
    const metrics = { broken: { value, unit: 'count', better: 'lower', kind: 'count' } }
    const cells = results.cells.map((cell, index) => (index === 0 ? { ...cell, metrics } : cell))
    expect(corruption(JSON.stringify({ ...results, cells })).path).toBe('cells[0].metrics.broken.value')
  },
)

test('an unknown field is refused, since a misspelt one would be lost in silence', () => {
  expect(corruption(JSON.stringify({ ...madeUpResults(), celss: [] })).message).toContain('celss')
})

test('two results for one repetition contradict each other', () => {
  const results = madeUpResults()
  const error = corruption(JSON.stringify({ ...results, cells: [...results.cells, results.cells[0]] }))
  expect(error.message).toContain('is a second result for merge-partitions/delta/merge-loop/0')
})

test('a second run of a cell as a control is no contradiction', () => {
  const results = madeUpResults()
  const cell = passedCell('merge-partitions', 'delta/merge-loop', 0)
  const control = { ...cell, control: true, id: `${cell.id}-control` }
  expect(parseResults(JSON.stringify({ ...results, cells: [cell, control] })).cells).toHaveLength(2)
})

test('a cell that lacks an axis of its scenario, or has an id of another point, is refused', () => {
  const results = madeUpResults()
  const axis = { name: 'writers', unit: null, description: 'at once', values: [1, 2] }
  const scenarios = [madeUpScenario({ name: 'concurrency', axes: [axis] })]
  const where = { scenario: 'concurrency', arm: 'ducklake/merge', repetition: 0 }
  const lacking = { ...results, scenarios, cells: [measuredCell(where, {})] }
  expect(corruption(JSON.stringify(lacking)).message).toContain('has other axes than concurrency: writers')
  const cell = measuredCell({ ...where, point: { writers: 2 } }, {})
  expect(cell.id).toBe('concurrency/ducklake/merge/writers=2/0')
  const misnamed = { ...results, scenarios, cells: [{ ...cell, point: { writers: 1 } }] }
  expect(corruption(JSON.stringify(misnamed)).message).toContain(
    'must be "concurrency/ducklake/merge/writers=1/0"',
  )
})

test('a cell of a scenario that the file does not describe is refused', () => {
  const results = madeUpResults()
  const error = corruption(JSON.stringify({ ...results, scenarios: results.scenarios.slice(0, 1) }))
  expect(error.message).toContain('names the scenario "wide-json"')
})

test('the published JSON Schema is that of the results', async () => {
  const schema = z.toJSONSchema(resultsSchema, { io: 'output' })
  await expect(`${JSON.stringify(schema, null, 2)}\n`).toMatchFileSnapshot(
    '../../reports/results.schema.json',
  )
})
