import { uriOf } from '../../platform/endpoints.ts'
import { environmentOf, stagingOf } from '../lake.ts'
import type { Cursor, PartTarget, StagedPage } from '../sources/source.ts'
import type { Extracting } from './extraction.ts'
import { readThroughOutages, SourceFailed } from './paged-reading.ts'
import type { ResumePoint } from './resume-point.ts'
import { newPartKey } from './staging/part-key.ts'

/**
 * The fast way: the source stages parts itself. Returns from where the rows have to pass through this process instead, or
 * null when all is read or the extractor is to drain. Rows must pass for their partitions, for types that the user chose,
 * and when they become too wide in the middle of a table.
 */
export async function stageByParts(extracting: Extracting): Promise<ResumePoint | null> {
  const { source, from, definition, secrets, abort, report } = extracting
  if (source.stageParts === undefined || !fits(extracting)) return from
  const target = targetOf(extracting)
  const read = async (resume: Cursor) => {
    const parts = await source.stageParts?.({ ...extracting.request, resume }, target)
    if (parts === undefined || parts === null) throw new RowsNeeded()
    return parts
  }
  const parts = readThroughOutages<StagedPage>({
    definition,
    secrets,
    from: from.cursor,
    read,
    signal: abort,
    onWaiting: (waiting) => report.waiting(waiting ? 'source' : null),
  })
  const recording = new PartsRecording(extracting)
  try {
    await recording.recordAll(parts)
    return null
  } catch (error) {
    if (extracting.drain.aborted) return null
    if (error instanceof SourceFailed && error.cause instanceof RowsNeeded) return recording.through
    throw error
  }
}

/** The source can't stage the table from here on. */
class RowsNeeded extends Error {
  override readonly name = 'RowsNeeded'
}

function fits({ plan, from, run, table }: Extracting): boolean {
  return (
    plan.partition?.mode === 'none' &&
    from.skipRows === 0 &&
    table.columns !== null &&
    Object.keys(run.spec.columnTypes).length === 0
  )
}

function targetOf({ surroundings, run, lease, limits, plan, table }: Extracting): PartTarget {
  const staging = stagingOf(surroundings, run.runId)
  return {
    environment: environmentOf(surroundings, run.spec.destination.lake, null),
    nextUri: () => uriOf(staging, newPartKey(lease)),
    columnNames: new Map((table.columns ?? []).map(({ name }) => [name, plan.lakeName(name)])),
    partPayloadBytes: limits.parts.partPayloadBytes,
    rowGroupPayloadBytes: limits.parts.rowGroupPayloadBytes,
    partRows: limits.batch.rows,
  }
}

/** Parts on their way into batches. */
class PartsRecording {
  readonly #extracting: Extracting
  #open: StagedPage[] = []
  #read = { pages: 0, rows: 0, bytes: 0 }
  #through: ResumePoint
  /** A batch was on its way when something failed: whether it is recorded is not known. */
  #isBroken = false

  constructor(extracting: Extracting) {
    this.#extracting = extracting
    this.#through = extracting.from
  }

  /** After the last part that is recorded. */
  get through(): ResumePoint {
    return this.#through
  }

  /** What is staged is recorded also when reading fails. */
  async recordAll(parts: AsyncIterable<StagedPage>): Promise<void> {
    const { limits, drain, report } = this.#extracting
    try {
      for await (const page of parts) {
        if (this.#open.length > 0 && overfills([...this.#open, page], limits.batch)) await this.#record()
        this.#open.push(page)
        const { rows, payloadBytes } = page.part
        const { pages, rows: rowsRead, bytes } = this.#read
        this.#read = { pages: pages + 1, rows: rowsRead + rows, bytes: bytes + payloadBytes }
        report.read(this.#read)
        if (drain.aborted) break
      }
    } finally {
      await this.#record()
    }
  }

  async #record(): Promise<void> {
    const last = this.#open.at(-1)
    if (last === undefined || this.#isBroken) return
    this.#isBroken = true
    const { staging, plan, from } = this.#extracting
    const pages = from.pages + this.#read.pages
    await staging.record({
      parts: this.#open.map(({ part }) => part),
      columns: plan.columns,
      partition: { mode: 'none' },
      names: plan.names,
      cursor: last.cursor,
      skipRows: 0,
      pages,
      mark: last.mark,
    })
    this.#isBroken = false
    this.#open = []
    this.#through = { ...from, cursor: last.cursor, pages }
  }
}

function overfills(
  pages: readonly StagedPage[],
  { payloadBytes, rows }: Extracting['limits']['batch'],
): boolean {
  const sum = (of: (page: StagedPage) => number) => pages.reduce((total, page) => total + of(page), 0)
  return sum(({ part }) => part.payloadBytes) > payloadBytes || sum(({ part }) => part.rows) > rows
}
