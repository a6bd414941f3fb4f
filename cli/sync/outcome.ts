import type { Run } from '../../pipeline/state/model.ts'
import { ERROR_CODES, type ErrorCode } from '../../platform/errors.ts'
import { formatBytes, formatCount, formatDuration } from '../../reports/format.ts'

/** How a sync ended, as `--json` prints it. */
export interface SyncOutcome {
  readonly status: 'done' | 'drained' | 'failed' | 'extracted'
  readonly tables: readonly TableOutcome[]
  readonly wallMs: number
  /** Highest use of any pod of each kind, page cache included; null where pods are not measured. */
  readonly extractorPeakBytes: number | null
  readonly loaderPeakBytes: number | null
  /** Processes that died and were started again. */
  readonly deaths: number
}

interface TableOutcome {
  readonly table: string
  readonly arm: string
  readonly runId: string
  readonly status: Run['status']
  readonly counts: Run['counts']
  readonly failure: Run['failure']
}

export function tableOutcome({ runId, spec, status, counts, failure }: Run): TableOutcome {
  const { table, arm } = spec.destination
  return { table, arm, runId, status, counts, failure }
}

export function outcomeText(outcome: SyncOutcome): string {
  const lines = outcome.tables.flatMap(({ table, arm, runId, status, counts, failure }) => {
    const rows = `${formatCount(counts.rowsCommitted)} rows in ${formatCount(counts.batchesCommitted)} batches`
    const dead =
      counts.rowsDead === 0
        ? []
        : [
            `  ${formatCount(counts.rowsDead)} rows could not be loaded: \`lakeduel runs show ${runId}\` names them.`,
          ]
    const failed = failure === null ? [] : [`  ${failure.message}`, `  ${failure.remedy}`]
    return [`${table} (${arm}): ${status}, ${rows}`, ...dead, ...failed]
  })
  const peaks = [peak('extractor', outcome.extractorPeakBytes), peak('loader', outcome.loaderPeakBytes)]
  return [...lines, [`${outcome.status} in ${formatDuration(outcome.wallMs)}`, ...peaks].join(', ')].join(
    '\n',
  )
}

function peak(name: string, bytes: number | null): string {
  return bytes === null ? `${name} not measured` : `${name} at most ${formatBytes(bytes)}`
}

/** 0 when everything that was asked for is in the tables, or is left in good order for the next start. */
export function exitCodeOf({ status, tables }: SyncOutcome): number {
  if (status === 'failed') return Math.max(1, ...tables.map(({ failure }) => exitCodeOfFailure(failure)))
  return tables.some(({ counts }) => counts.rowsDead > 0) ? 1 : 0
}

/** As if it had ended this command; codes of sources are no codes of ours, but for those that are called alike. */
function exitCodeOfFailure(failure: Run['failure']): number {
  const code = failure?.code.toUpperCase() ?? ''
  return isErrorCode(code) ? ERROR_CODES[code].exitCode : 0
}

function isErrorCode(code: string): code is ErrorCode {
  return Object.hasOwn(ERROR_CODES, code)
}
