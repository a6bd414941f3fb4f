import { assert, expect, test } from 'vitest'
import { parseResults, ResultsCorruptError } from '../../reports/schema.ts'
import { madeUpResults } from './made-up-results.ts'

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

test('a passed cell without its measurements is no cell', () => {
  const results = madeUpResults()
  const cells = results.cells.map((cell, index) =>
    index === 3 ? Object.fromEntries(Object.entries(cell).filter(([key]) => key !== 'measurements')) : cell,
  )
  expect(corruption(JSON.stringify({ ...results, cells })).path).toBe('cells[3].measurements')
})

test('another schema version is told apart from a broken file', () => {
  const error = corruption(JSON.stringify({ ...madeUpResults(), schemaVersion: 2 }))
  expect(error.message).toContain('it is 2, and this lakeduel reads version 1')
  expect(error.remedy).toContain('release that wrote the file')
})

test('an unknown field is refused, since a misspelt one would be lost in silence', () => {
  expect(corruption(JSON.stringify({ ...madeUpResults(), celss: [] })).message).toContain('celss')
})

test('two results for one repetition contradict each other', () => {
  const results = madeUpResults()
  const error = corruption(JSON.stringify({ ...results, cells: [...results.cells, results.cells[0]] }))
  expect(error.message).toContain('is a second result for delta/merge-loop, repetition 0 of merge-partitions')
})

test('a cell of a scenario that the file does not describe is refused', () => {
  const results = madeUpResults()
  const error = corruption(JSON.stringify({ ...results, scenarios: results.scenarios.slice(0, 1) }))
  expect(error.message).toContain('names the scenario "wide-json"')
})
