import { Random } from '../random.ts'
import type { JsonValue, SourceTable } from '../source.ts'
import { type ContractCheck, fail, pass, skip, type TableFinding, tableCheck } from './check.ts'
import { difference } from './compare-readings.ts'
import type { RecordedPage, Recording } from './recording.ts'
import type { ContractSubject } from './subject.ts'

/** Rows that are read again over all cursors of a table; after each one at least as many as {@link MIN_ROWS}. */
const ROWS_READ_AGAIN = 500_000
const MIN_ROWS = 2_000

export const resumeCheck: ContractCheck = tableCheck(
  'resume',
  'from every cursor, a new process reads exactly the rows that follow',
  async (subject, table) => {
    const full = await resumedFromAll(subject, table, null)
    for (const { name } of table.incremental) {
      const found = await resumedFromAll(subject, table, name)
      if (found.status === 'fail') return { ...found, reason: `incrementally by ${name}, ${found.reason}` }
    }
    return full
  },
)

async function resumedFromAll(
  subject: ContractSubject,
  table: SourceTable,
  field: string | null,
): Promise<TableFinding> {
  const whole = await subject.recording(table, field)
  if (whole.pages.length === 0) return skip('the table has no pages')
  const { cursors, seed } = subject.options
  const chosen = sample(whole.pages, cursors, new Random(seed, whole.pages.length))
  const maxRows = Math.max(MIN_ROWS, Math.floor(ROWS_READ_AGAIN / chosen.length))
  for (const page of chosen) {
    const found = await resumed(subject, table, field, { whole, page, maxRows })
    if (found !== null) return found
  }
  return pass(`from ${chosen.length} of ${whole.pages.length} cursors`)
}

interface Resumption {
  readonly whole: Recording
  readonly page: RecordedPage
  readonly maxRows: number
}

/** Null where all is right. */
async function resumed(
  subject: ContractSubject,
  table: SourceTable,
  field: string | null,
  { whole, page, maxRows }: Resumption,
): Promise<TableFinding | null> {
  // As it comes back from where it was stored.
  const resume: JsonValue = JSON.parse(JSON.stringify(page.cursor))
  const incremental = field === null ? null : { field, since: null }
  const rest = await subject.read(table, { incremental, resume }, maxRows)
  const wrong = difference(whole.digests.slice(page.end), rest, whole.ended)
  return wrong === null
    ? null
    : fail(`after the cursor of row ${page.end}, ${wrong.reason}`, { ...wrong.values, cursor: page.cursor })
}

/** All of them, or the first, the last and some between. */
function sample(pages: readonly RecordedPage[], count: number, random: Random): readonly RecordedPage[] {
  if (pages.length <= count) return pages
  const chosen = new Set([0, pages.length - 1])
  while (chosen.size < count) chosen.add(random.below(pages.length))
  return pages.filter((_, index) => chosen.has(index))
}

export const stableOrderCheck: ContractCheck = tableCheck(
  'stable-order',
  'a second reading gives the same rows in the same order',
  async (subject, table) => {
    const first = await subject.recording(table, null)
    const second = await subject.read(table, {})
    const wrong = difference(first.digests, second, first.ended)
    if (wrong !== null) return fail(`the second time, ${wrong.reason}`, wrong.values)
    return first.digests.length === 0 ? skip('the table is empty') : pass(`${first.digests.length} rows`)
  },
)
