/**
 * The one schema of a results file. The runner writes it, `--resume` reads it back, and every report is a pure function
 * of it. Sizes are bytes, times milliseconds or seconds as the names say, dates ISO 8601 in UTC, numbers finite.
 * It never holds a secret: `command` and `settings` are written without credentials.
 */
import { z } from 'zod'
import { cellId, cellSchema } from './schema/cell.ts'
import { environmentSchema, runSchema, scenarioSchema, warningSchema } from './schema/run.ts'

export type { Cell, Finding, Oracle, Point, SoundCell } from './schema/cell.ts'
export { cellId } from './schema/cell.ts'
export type { Metric, Phase, Scalar, Series, Unit } from './schema/measured.ts'
export type { Axis, Environment, Run, Scenario, Warning } from './schema/run.ts'

export const RESULTS_SCHEMA_VERSION = 2

export const resultsSchema = z
  .strictObject({
    schemaVersion: z.literal(RESULTS_SCHEMA_VERSION),
    lakeduelVersion: z.string(),
    run: runSchema,
    environment: environmentSchema,
    scenarios: z.array(scenarioSchema),
    /** In the order in which they ran. */
    cells: z.array(cellSchema),
    /** What the runner noticed while it ran; the reports add their own. */
    warnings: z.array(warningSchema),
  })
  .superRefine((results, context) => {
    const scenarios = new Map(results.scenarios.map((scenario) => [scenario.name, scenario]))
    const seen = new Set<string>()
    const complain = (index: number, field: string[], message: string) =>
      context.addIssue({ code: 'custom', path: ['cells', index, ...field], message })
    for (const [index, cell] of results.cells.entries()) {
      const scenario = scenarios.get(cell.scenario)
      if (scenario === undefined) {
        complain(
          index,
          ['scenario'],
          `names the scenario "${cell.scenario}", which the file doesn't describe`,
        )
        continue
      }
      const axes = scenario.axes.map((axis) => axis.name)
      if (Object.keys(cell.point).join() !== axes.join())
        complain(index, ['point'], `has other axes than ${cell.scenario}: ${axes.join(', ') || 'none'}`)
      const id = cellId(cell)
      if (cell.id !== id) complain(index, ['id'], `must be "${id}"`)
      if (seen.has(id)) complain(index, [], `is a second result for ${id}`)
      seen.add(id)
    }
  })
export type Results = Readonly<z.infer<typeof resultsSchema>>

/** A results file that can't be read. The command line maps it to `RESULTS_CORRUPT`. */
export class ResultsCorruptError extends Error {
  override readonly name = 'ResultsCorruptError'
  readonly code = 'RESULTS_CORRUPT'
  /** The first field that is wrong, as `cells[3].metrics`; empty when the whole text is no JSON object. */
  readonly path: string
  readonly remedy: string

  constructor(path: string, problem: string, remedy: string, cause?: unknown) {
    super(`The results file cannot be read: ${path === '' ? '' : `${path}: `}${problem}.`, { cause })
    this.path = path
    this.remedy = remedy
  }
}

/**
 * Parses the text of a results file.
 * @throws ResultsCorruptError when it is no JSON, of another schema version, or has a wrong field
 */
export function parseResults(text: string): Results {
  const json = parseJson(text)
  const version = z.object({ schemaVersion: z.number() }).safeParse(json)
  if (version.success && version.data.schemaVersion !== RESULTS_SCHEMA_VERSION) {
    throw new ResultsCorruptError(
      'schemaVersion',
      `it is ${version.data.schemaVersion}, and this lakeduel reads version ${RESULTS_SCHEMA_VERSION}`,
      'Use the lakeduel release that wrote the file, or run the benchmark again into another folder.',
    )
  }
  const parsed = resultsSchema.safeParse(json)
  if (parsed.success) return parsed.data
  const issue = parsed.error.issues[0]
  const path = issue === undefined ? '' : z.core.toDotPath(issue.path)
  throw new ResultsCorruptError(
    path,
    issue?.message ?? 'it is no results file',
    'Restore the file from a copy, or start over without --resume into another folder.',
    parsed.error,
  )
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new ResultsCorruptError(
      '',
      `it is no JSON (${cause instanceof Error ? cause.message : String(cause)})`,
      'It may have been cut off while it was written: restore a copy, or start over without --resume.',
      cause,
    )
  }
}
