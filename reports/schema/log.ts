/**
 * The log of a run, `results.ndjson`: one JSON record a line, appended and never changed, so that a kill loses at most
 * the record that was being written. It begins with `start`; a later record of a scenario or a cell replaces an earlier
 * one of the same name, as when a run is resumed.
 */
import { z } from 'zod'
import { cellSchema } from './cell.ts'
import { checked, parseJson, ResultsCorruptError } from './parse.ts'
import { type Results, resultsSchema } from './results.ts'
import { environmentSchema, runSchema, scenarioSchema, warningSchema } from './run.ts'

const recordSchema = z.discriminatedUnion('record', [
  /** The results before the first cell. */
  z.strictObject({ record: z.literal('start'), results: resultsSchema }),
  z.strictObject({ record: z.literal('scenario'), scenario: scenarioSchema }),
  z.strictObject({ record: z.literal('cell'), cell: cellSchema }),
  z.strictObject({ record: z.literal('versions'), versions: environmentSchema.shape.versions }),
  z.strictObject({ record: z.literal('floors'), floors: runSchema.shape.floors }),
  z.strictObject({ record: z.literal('warning'), warning: warningSchema }),
  z.strictObject({ record: z.literal('end'), finishedAt: z.iso.datetime() }),
])
export type LogRecord = z.infer<typeof recordSchema>

/** A record as a line of the log, line feed included. */
export function logLine(record: LogRecord): string {
  return `${JSON.stringify(record)}\n`
}

/**
 * The results that a log holds so far. A last line without its line feed was being written when the run was killed, and
 * is left out.
 * @throws ResultsCorruptError naming the line when one is no record, or when the log doesn't begin with `start`
 */
export function parseResultsLog(text: string): Results {
  const lines = text.split('\n').slice(0, -1)
  const [first, ...rest] = lines.map((line, index) => parseLine(line, `line ${index + 1}`))
  if (first?.record !== 'start') {
    throw new ResultsCorruptError(
      'line 1',
      'it does not begin with the start of a run',
      'Start the run again into another folder, without --resume.',
    )
  }
  return checked(resultsSchema, assemble(first.results, rest), '')
}

function parseLine(line: string, where: string): LogRecord {
  return checked(recordSchema, parseJson(line, where), where)
}

function assemble(start: Results, records: readonly LogRecord[]): Results {
  const { run, environment } = start
  const end = records.at(-1)
  const scenarios = records.flatMap((entry) => (entry.record === 'scenario' ? [entry.scenario] : []))
  const cells = records.flatMap((entry) => (entry.record === 'cell' ? [entry.cell] : []))
  const versions = records.flatMap((entry) => (entry.record === 'versions' ? [entry.versions] : []))
  const floors = records.flatMap((entry) => (entry.record === 'floors' ? [entry.floors] : []))
  const warnings = records.flatMap((entry) => (entry.record === 'warning' ? [entry.warning] : []))
  return {
    ...start,
    run: {
      ...run,
      finishedAt: end?.record === 'end' ? end.finishedAt : null,
      floors: floors.at(-1) ?? run.floors,
    },
    environment: { ...environment, versions: Object.assign({}, environment.versions, ...versions) },
    scenarios: latest([...start.scenarios, ...scenarios], ({ name }) => name),
    cells: latest([...start.cells, ...cells], ({ id }) => id),
    warnings: [...start.warnings, ...warnings],
  }
}

/** One item of each name: the last one, where the first one stood. */
function latest<Item>(items: readonly Item[], nameOf: (item: Item) => string): Item[] {
  return [...new Map(items.map((item) => [nameOf(item), item])).values()]
}
