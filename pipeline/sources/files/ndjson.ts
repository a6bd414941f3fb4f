import type { DataFile } from './data-file.ts'
import { BadFile } from './errors.ts'
import type { FileStore } from './file-store.ts'
import type { PlacedRow, Position } from './position.ts'
import { recordsOf, type TextRecord, textOf } from './records.ts'
import { textBytes } from './text-file.ts'

/** A whole number that a double may not hold. Only a line with so many digits is worth the slower way of parsing. */
const MANY_DIGITS = /\d{16}/

/** The objects of a file with one on each line. */
export async function* readNdjson(
  store: FileStore,
  file: DataFile,
  {
    position,
    maxRowBytes,
    signal,
  }: { readonly position: Position; readonly maxRowBytes: number; readonly signal: AbortSignal },
): AsyncIterable<Iterable<PlacedRow>> {
  const shape = { name: file.name, maxBytes: maxRowBytes, quoting: null }
  const bytes = textBytes(store, file, { from: position.byte }, signal)
  const count = { row: position.row }
  for await (const records of recordsOf(bytes, position, shape)) yield rowsOf(records, file.name, count)
}

function* rowsOf(records: readonly TextRecord[], name: string, count: { row: number }): Iterable<PlacedRow> {
  for (const record of records) {
    const text = textOf(record, name)
    if (text.trim() === '') continue
    count.row += 1
    const next = { byte: record.nextByte, line: record.nextLine, row: count.row }
    yield { row: parsed(text, record.line, name), bytes: record.bytes.length, next }
  }
}

function parsed(text: string, line: number, name: string): Record<string, unknown> {
  const value = parse(text, line, name)
  if (isObject(value)) return value
  throw new BadFile('broken_json', `${name}, line ${line}, is JSON but no object.`)
}

function parse(text: string, line: number, name: string): unknown {
  try {
    return MANY_DIGITS.test(text) ? JSON.parse(text, exactNumber) : JSON.parse(text)
  } catch (error) {
    // The parser's message quotes the line; only the place of the fault is taken from it.
    const [, at] = /position (\d+)/.exec(error instanceof Error ? error.message : '') ?? []
    throw new BadFile(
      'broken_json',
      `${name}, line ${line}, is not valid JSON${at === undefined ? '' : ` at character ${at}`}.`,
    )
  }
}

/** Whole numbers beyond 2^53 keep all of their digits. */
function exactNumber(_key: string, value: unknown, context?: { readonly source?: string }): unknown {
  if (typeof value !== 'number' || Number.isSafeInteger(value)) return value
  const source = context?.source ?? ''
  return /^-?\d+$/.test(source) ? BigInt(source) : value
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
