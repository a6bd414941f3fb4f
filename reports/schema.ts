/**
 * The one schema of a results file. The runner writes it, `--resume` reads it back, and every report is a pure function
 * of it. Sizes are bytes, times milliseconds or seconds as the names say, dates ISO 8601 in UTC, numbers finite.
 * It never holds a secret: `command` and `settings` are written without credentials.
 */
export type { Cell, Finding, Oracle, Point, SoundCell } from './schema/cell.ts'
export { cellId } from './schema/cell.ts'
export type { LogRecord } from './schema/log.ts'
export { logLine, parseResultsLog } from './schema/log.ts'
export type { Metric, Phase, Scalar, Series, Unit } from './schema/measured.ts'
export { parseResults, ResultsCorruptError } from './schema/parse.ts'
export type { Results } from './schema/results.ts'
export { RESULTS_SCHEMA_VERSION } from './schema/results.ts'
export type { Axis, Run, Scenario, Warning } from './schema/run.ts'
