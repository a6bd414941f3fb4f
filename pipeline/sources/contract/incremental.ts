import { isDeepStrictEqual } from 'node:util'
import type { IncrementalField, JsonValue, SourceTable } from '../source.ts'
import { type ContractCheck, fail, pass, skip, type TableFinding, tableCheck } from './check.ts'
import { compareValues } from './comparing.ts'
import type { Recording } from './recording.ts'
import type { ContractSubject } from './subject.ts'

export const declaredOrderCheck: ContractCheck = tableCheck(
  'declared-order',
  'an incremental read yields its rows in the order of the field, as declared',
  eachField(async (subject, table, field) => {
    const { fieldValues } = await subject.recording(table, field.name)
    const sign = field.order === 'ascending' ? 1 : -1
    let compared = 0
    for (const [place, value] of fieldValues.entries()) {
      const order = place === 0 ? null : compareValues(fieldValues[place - 1], value)
      if (order !== null && order * sign > 0)
        return fail(`the rows at places ${place - 1} and ${place} are not ${field.order}`, {
          field: field.name,
          place,
        })
      compared += Number(order !== null)
    }
    return compared === 0
      ? skip('no two values of it can be compared from outside')
      : pass(`${compared} pairs of rows`)
  }),
)

export const incrementalCheck: ContractCheck = tableCheck(
  'incremental',
  'an incremental read from a mark gives every newer row, and no older one',
  eachField(async (subject, table, field) => {
    const whole = await subject.recording(table, field.name)
    if (whole.digests.length === 0) return skip('the table is empty')
    const unmarked = whole.pages.findIndex(({ mark, rows }) => mark === undefined && rows > 0)
    if (unmarked >= 0) return fail(`page ${unmarked} of the read has no mark`, { page: unmarked })
    for (const marked of marksOf(whole, field)) {
      const found = await readSince(subject, table, field.name, { whole, marked })
      if (found !== null) return found
    }
    return pass(`${whole.pages.length} pages with marks`)
  }),
)

type FieldRun = (
  subject: ContractSubject,
  table: SourceTable,
  field: IncrementalField,
) => Promise<TableFinding>

/** The first field that fails, else what was found of the last. */
function eachField(run: FieldRun): (subject: ContractSubject, table: SourceTable) => Promise<TableFinding> {
  return async (subject, table) => {
    let found = skip('no field of the table is incremental')
    for (const field of table.incremental) {
      found = await run(subject, table, field)
      if (found.status === 'fail') return { ...found, reason: `${field.name}: ${found.reason}` }
    }
    return found
  }
}

/** A mark, and the rows that an incremental read from it must yield: those from a place on, or those of a greater value. */
interface Marked {
  readonly mark: JsonValue
  readonly from: number | null
}

/**
 * A mark on the way, and the one at the end. Where the newest rows come first, all pages have the same mark; then the value of
 * the row in the middle stands for one, where marks look like values.
 */
function marksOf(whole: Recording, { order }: IncrementalField): readonly Marked[] {
  const pages = whole.pages.filter(({ rows }) => rows > 0)
  const last = pages.at(-1)?.mark
  if (last === undefined) return []
  if (order === 'descending') {
    const middle = middleValue(whole, last)
    return [...(middle === undefined ? [] : [middle]), last].map((mark) => ({ mark, from: null }))
  }
  return [pages[Math.floor((pages.length - 1) / 2)]?.mark ?? last, last].map((mark) => ({
    mark,
    from: pages.findLast((page) => isDeepStrictEqual(page.mark, mark))?.end ?? null,
  }))
}

function middleValue({ fieldValues }: Recording, mark: JsonValue): JsonValue | undefined {
  const value = fieldValues[Math.floor(fieldValues.length / 2)]
  const looksLikeMark = typeof value === typeof mark
  return looksLikeMark && (typeof value === 'string' || typeof value === 'number') ? value : undefined
}

/** Null where all is right. */
async function readSince(
  subject: ContractSubject,
  table: SourceTable,
  field: string,
  { whole, marked: { mark, from } }: { readonly whole: Recording; readonly marked: Marked },
): Promise<TableFinding | null> {
  const read = await subject.read(table, { incremental: { field, since: mark } })
  const older = read.fieldValues.findIndex((value) => isBelow(value, mark))
  if (older >= 0) return fail(`the row at place ${older} is older than the mark`, { mark, place: older })
  const given = new Set(read.digests)
  const missed = whole.digests.findIndex(
    (digest, place) =>
      !given.has(digest) && (from === null ? isBelow(mark, whole.fieldValues[place]) : place >= from),
  )
  if (missed >= 0 && whole.ended && read.ended)
    return fail(`the row at place ${missed} of a whole read is newer than the mark and did not come`, {
      mark,
      place: missed,
    })
  return null
}

function isBelow(value: unknown, other: unknown): boolean {
  const order = compareValues(value, other)
  return order !== null && order < 0
}
