import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type LogRecord, logLine, parseResultsLog, type Results } from '../../reports/schema.ts'
import { failedCell, madeUpResults, passedCell } from './made-up-results.ts'

const finishedAt = '2026-01-05T10:41:00.000Z'

/** The records that a run with these results writes. */
function recordsOf(results: Results): readonly LogRecord[] {
  const start: Results = {
    ...results,
    run: { ...results.run, finishedAt: null, floors: {} },
    scenarios: [],
    cells: [],
    warnings: [],
  }
  return [
    { record: 'start', results: start },
    { record: 'floors', floors: results.run.floors },
    ...results.scenarios.map((scenario) => ({ record: 'scenario' as const, scenario })),
    ...results.cells.map((cell) => ({ record: 'cell' as const, cell })),
    { record: 'end', finishedAt },
  ]
}

const textOf = (records: readonly LogRecord[]) => records.map(logLine).join('')

test('the log of a whole run holds its results', () => {
  const results = madeUpResults({ repeat: 2 })
  expect(parseResultsLog(textOf(recordsOf(results)))).toEqual(results)
})

test('a log that a kill cut off anywhere holds every cell whose line is whole', () => {
  const text = textOf(recordsOf(madeUpResults({ repeat: 1 })))
  const first = text.indexOf('\n') + 1
  fc.assert(
    fc.property(fc.integer({ min: first, max: text.length }), (length) => {
      const cut = text.slice(0, length)
      const { cells, run } = parseResultsLog(cut)
      expect(cells).toHaveLength(
        cut
          .split('\n')
          .filter((line, index, all) => index < all.length - 1 && line.startsWith('{"record":"cell"')).length,
      )
      expect(run.finishedAt).toBe(length === text.length ? finishedAt : null)
    }),
    { numRuns: 50 },
  )
})

test('a cell that was measured again replaces its failure, and the run goes on', () => {
  const results = madeUpResults({ repeat: 1 })
  const failed = failedCell('merge-partitions', 'ducklake/merge', 0, 'connection refused')
  const again = passedCell('merge-partitions', 'ducklake/merge', 0)
  const records = [
    ...recordsOf({ ...results, cells: [failed] }),
    { record: 'versions' as const, versions: { duckdb: '1.5.6' } },
    { record: 'cell' as const, cell: again },
  ]
  const resumed = parseResultsLog(textOf(records))
  expect(resumed.cells).toEqual([again])
  expect(resumed.run.finishedAt).toBeNull()
  expect(resumed.environment.versions).toMatchObject({ duckdb: '1.5.6', deltalake: '1.6.6' })
})

test.each([
  ['that is empty', '', 'line 1: it does not begin with the start of a run'],
  ['that begins with a cell', logLine({ record: 'end', finishedAt }), 'line 1: it does not begin'],
  [
    'with a line of something else',
    `${textOf(recordsOf(madeUpResults({ repeat: 1 })))}{"record":"cell"}\n`,
    /line \d+: cell: /,
  ],
  [
    'with a line that is no JSON',
    `${textOf(recordsOf(madeUpResults({ repeat: 1 })))}oops\n`,
    /line \d+: it is no JSON/,
  ],
])('a log %s is refused', (_, text, message) => {
  expect(() => parseResultsLog(text)).toThrow(message)
})
