import type { FilesConfig } from './config.ts'
import type { DataFile } from './data-file.ts'
import { BadFile } from './errors.ts'
import type { FileStore } from './file-store.ts'
import type { PlacedRow, Position } from './position.ts'
import { type Quoting, recordsOf, type TextRecord, textOf } from './records.ts'
import { textBytes } from './text-file.ts'

/** How much of a file is looked at for its delimiter, its columns and their types. */
const HEAD_BYTES = 256 * 1024
const DELIMITERS = [',', ';', '\t', '|'] as const

export interface CsvHead {
  readonly columns: readonly string[]
  readonly delimiter: string
  /** Where the rows begin. */
  readonly start: Position
  /** The first rows; null for a value that isn't there. */
  readonly rows: readonly (readonly (string | null)[])[]
}

/**
 * The columns and the first rows of a file.
 * @throws BadFile `broken_csv`
 */
export async function readCsvHead(
  store: FileStore,
  file: DataFile,
  config: FilesConfig,
  signal: AbortSignal,
): Promise<CsvHead> {
  const bytes = textBytes(store, file, { from: 0, to: HEAD_BYTES }, signal)
  const delimiter =
    config.delimiter ?? (await likelyDelimiter(textBytes(store, file, { from: 0, to: HEAD_BYTES }, signal)))
  const records = await headRecords(bytes, file, config, delimiter)
  const [first] = records
  if (first === undefined) return { columns: [], delimiter, start: { byte: 0, line: 0, row: 0 }, rows: [] }
  const names = fieldsOf(first, file.name, { delimiter, quote: config.quote })
  const start = config.header
    ? { byte: first.nextByte, line: first.nextLine, row: 0 }
    : { byte: 0, line: 0, row: 0 }
  return {
    columns: config.header ? columnNames(names, file.name) : names.map((_, index) => `column_${index + 1}`),
    delimiter,
    start,
    rows: (config.header ? records.slice(1) : records).map((record) =>
      fieldsOf(record, file.name, { delimiter, quote: config.quote }),
    ),
  }
}

/** The rows of a file by its own columns; every value is a text, and null where nothing stands between the delimiters. */
export async function* readCsv(
  store: FileStore,
  file: DataFile,
  {
    position,
    config,
    signal,
  }: { readonly position: Position; readonly config: FilesConfig; readonly signal: AbortSignal },
): AsyncIterable<Iterable<PlacedRow>> {
  const head = await readCsvHead(store, file, config, signal)
  const from = position.byte < head.start.byte ? head.start : position
  const signs = { delimiter: head.delimiter, quote: config.quote }
  const shape = { name: file.name, maxBytes: config.maxRowBytes, quoting: quotingOf(signs) }
  const bytes = textBytes(store, file, { from: from.byte }, signal)
  const count = { row: from.row }
  for await (const records of recordsOf(bytes, from, shape))
    yield rowsOf(records, file.name, { signs, columns: head.columns, count })
}

interface Signs {
  readonly delimiter: string
  readonly quote: string
}

function* rowsOf(
  records: readonly TextRecord[],
  name: string,
  {
    signs,
    columns,
    count,
  }: { readonly signs: Signs; readonly columns: readonly string[]; readonly count: { row: number } },
): Iterable<PlacedRow> {
  for (const record of records) {
    if (record.bytes.length === 0) continue
    const fields = fieldsOf(record, name, signs)
    if (fields.length !== columns.length)
      throw new BadFile(
        'broken_csv',
        `${name}, line ${record.line}, has ${fields.length} fields instead of ${columns.length}.`,
      )
    count.row += 1
    const row: Record<string, unknown> = {}
    for (const [index, column] of columns.entries()) row[column] = fields[index]
    yield {
      row,
      bytes: record.bytes.length,
      next: { byte: record.nextByte, line: record.nextLine, row: count.row },
    }
  }
}

/** Whole records only: what is cut off at the end of the head, or is wrong further on, is the reader's business. */
async function headRecords(
  bytes: AsyncIterable<Uint8Array>,
  file: DataFile,
  config: FilesConfig,
  delimiter: string,
): Promise<readonly TextRecord[]> {
  const shape = {
    name: file.name,
    maxBytes: config.maxRowBytes,
    quoting: quotingOf({ delimiter, quote: config.quote }),
  }
  const records: TextRecord[] = []
  try {
    for await (const some of recordsOf(bytes, { byte: 0, line: 0 }, shape)) records.push(...some)
  } catch (error) {
    if (!(error instanceof BadFile) || records.length === 0) throw error
  }
  const isCut = file.bytes > HEAD_BYTES || file.name.endsWith('.gz')
  return (isCut && records.length > 1 ? records.slice(0, -1) : records).filter(
    (record) => record.bytes.length > 0,
  )
}

async function likelyDelimiter(bytes: AsyncIterable<Uint8Array>): Promise<string> {
  for await (const chunk of bytes) {
    const [line = ''] = Buffer.from(chunk).toString('utf8').split('\n', 1)
    const unquoted = line.replaceAll(/"[^"]*"/g, '')
    const counts = DELIMITERS.map((delimiter) => unquoted.split(delimiter).length)
    return DELIMITERS[counts.indexOf(Math.max(...counts))] ?? ','
  }
  return ','
}

function quotingOf({ delimiter, quote }: Signs): Quoting {
  return { delimiter: delimiter.charCodeAt(0), quote: quote.charCodeAt(0) }
}

function columnNames(fields: readonly (string | null)[], name: string): readonly string[] {
  const names = fields.map((field, index) => field?.trim() || `column_${index + 1}`)
  const twice = names.find((column, index) => names.indexOf(column) < index)
  if (twice === undefined) return names
  throw new BadFile('broken_csv', `${name}, line 1, names the column ${twice} twice.`)
}

function fieldsOf(record: TextRecord, name: string, { delimiter, quote }: Signs): readonly (string | null)[] {
  const text = textOf(record, name)
  if (!text.includes(quote)) return text.split(delimiter).map((field) => (field === '' ? null : field))
  const fields: (string | null)[] = []
  let at = 0
  while (at <= text.length) {
    const field = text[at] === quote ? quotedField(text, at, quote) : plainField(text, at, delimiter)
    if (field === null || (field.end < text.length && text[field.end] !== delimiter))
      throw new BadFile(
        'broken_csv',
        `${name}, line ${record.line}, has text after a closing quote, or a quote that nothing closes.`,
      )
    fields.push(field.value)
    at = field.end + 1
  }
  return fields
}

interface Field {
  readonly value: string | null
  /** Of the delimiter that follows, or of the record. */
  readonly end: number
}

function plainField(text: string, from: number, delimiter: string): Field {
  const at = text.indexOf(delimiter, from)
  const end = at < 0 ? text.length : at
  return { value: end === from ? null : text.slice(from, end), end }
}

/** Two quotes within quotes stand for one. */
function quotedField(text: string, from: number, quote: string): Field | null {
  for (let at = text.indexOf(quote, from + 1); at >= 0; at = text.indexOf(quote, at + 2)) {
    if (text[at + 1] !== quote)
      return { value: text.slice(from + 1, at).replaceAll(quote + quote, quote), end: at + 1 }
  }
  return null
}
