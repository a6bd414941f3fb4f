import type { ExtractEvent } from '../../pipeline/processes/protocol.ts'
import type { Run } from '../../pipeline/state/model.ts'
import type { Progress } from '../../pipeline/state/progress.ts'
import { logger } from '../../platform/log.ts'
import { formatBytes, formatCount, formatDuration } from '../../reports/format.ts'

type Extracting = Extract<ExtractEvent, { event: 'progress' }>

/** What is shown of one table. */
export interface TableView {
  readonly run: Run
  readonly parent: string | null
  readonly estimatedRows: number | null
  progress: Progress | null
  extracting: Extracting | null
}

const TTY_TICK_MS = 500
const LOG_TICK_MS = 10_000

/** Shows a sync while it goes on, on stderr: lines that move on a terminal, a line now and then elsewhere. */
export class SyncDisplay implements Disposable {
  readonly #views: readonly TableView[]
  readonly #json: boolean
  readonly #startedAt = performance.now()
  readonly #timer: NodeJS.Timeout
  readonly #terminal = process.stderr.isTTY
  #drawn = 0

  constructor(views: readonly TableView[], { json }: { readonly json: boolean }) {
    this.#views = views
    this.#json = json
    const moving = this.#terminal && !json
    this.#timer = setInterval(() => this.#draw(), moving ? TTY_TICK_MS : LOG_TICK_MS)
  }

  /** A line that stays. */
  line(text: string, facts: Readonly<Record<string, unknown>> = {}): void {
    if (this.#json) {
      logger.info(facts, text)
      return
    }
    this.#erase()
    process.stderr.write(`${text}\n`)
    if (this.#terminal) this.#draw()
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer)
    this.#erase()
  }

  #draw(): void {
    const open = this.#views.filter(({ progress }) => progress === null || progress.status === 'active')
    if (this.#json || !this.#terminal) {
      for (const view of open) this.line(this.#describe(view), factsOf(view))
      return
    }
    this.#erase()
    const width = (process.stderr.columns || 80) - 1
    for (const view of open) process.stderr.write(`${this.#describe(view).slice(0, width)}\n`)
    this.#drawn = open.length
  }

  #erase(): void {
    if (!this.#terminal || this.#json || this.#drawn === 0) return
    process.stderr.moveCursor(0, -this.#drawn)
    process.stderr.cursorTo(0)
    process.stderr.clearScreenDown()
    this.#drawn = 0
  }

  #describe({ run, estimatedRows, progress, extracting }: TableView): string {
    const { table } = run.spec.destination
    if (progress === null) return `  ${table}: starting`
    const { counts } = progress
    const pages = extracting === null ? '' : `${formatCount(extracting.pages)} pages, `
    const queued = counts.batchesStaged - counts.batchesCommitted
    const state = extracting?.waiting == null ? '' : `, waiting for the ${extracting.waiting}`
    return (
      `  ${table}: read ${pages}${formatCount(counts.rowsStaged)} rows, ${formatBytes(counts.bytesStaged)} staged; ` +
      `${formatCount(counts.rowsCommitted)} rows in the lake; ${queued} of ${counts.batchesStaged} batches queued${state}` +
      this.#timeLeft(counts.rowsCommitted, estimatedRows)
    )
  }

  #timeLeft(rowsCommitted: number, estimatedRows: number | null): string {
    const elapsedMs = performance.now() - this.#startedAt
    const elapsed = `; ${formatDuration(elapsedMs)}`
    if (estimatedRows === null || rowsCommitted === 0 || rowsCommitted >= estimatedRows) return elapsed
    return `${elapsed}, about ${formatDuration((elapsedMs / rowsCommitted) * (estimatedRows - rowsCommitted))} left`
  }
}

function factsOf({ run, progress, extracting }: TableView): Readonly<Record<string, unknown>> {
  return { runId: run.runId, ...progress?.counts, extracting }
}
