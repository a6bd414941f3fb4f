import { isUtf8 } from 'node:buffer'
import { LakeduelError } from '../../../platform/errors.ts'
import { BadFile } from './errors.ts'

const NEWLINE = 0x0a
const RETURN = 0x0d
const NUL = 0x00

/** The signs of CSV as bytes. */
export interface Quoting {
  readonly quote: number
  readonly delimiter: number
}

export interface RecordShape {
  /** Of the file, for messages. */
  readonly name: string
  readonly maxBytes: number
  /** Null where every line is a record; else line ends within quotes belong to the record. */
  readonly quoting: Quoting | null
}

/** A line, or the lines of one CSV record, without its line end. */
export interface TextRecord {
  readonly bytes: Buffer
  /** Of its beginning, counted from 1. */
  readonly line: number
  /** The byte that follows it, and the line ends before that. */
  readonly nextByte: number
  readonly nextLine: number
}

interface Place {
  readonly byte: number
  readonly line: number
}

/**
 * Cuts bytes into records, those of one chunk at once. Of a record that spans chunks no more than `maxBytes` are kept.
 * @throws LakeduelError `ROW_TOO_LARGE`, BadFile `broken_csv` for a quote that nothing closes
 */
export async function* recordsOf(
  chunks: AsyncIterable<Uint8Array>,
  start: Place,
  shape: RecordShape,
): AsyncIterable<readonly TextRecord[]> {
  const cutter = new RecordCutter(start, shape)
  for await (const chunk of chunks) {
    const records = cutter.cut(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength))
    if (records.length > 0) yield records
  }
  const last = cutter.end()
  if (last !== null) yield [last]
}

/**
 * The text of a record.
 * @throws BadFile `invalid_utf8` or `nul_character`, with the line
 */
export function textOf({ bytes, line }: TextRecord, name: string): string {
  const nul = bytes.indexOf(NUL)
  if (nul >= 0)
    throw new BadFile('nul_character', `${name}, line ${line}, has a NUL character at byte ${nul}.`)
  if (!isUtf8(bytes)) throw new BadFile('invalid_utf8', `${name}, line ${line}, is not valid UTF-8.`)
  return bytes.toString('utf8')
}

class RecordCutter {
  readonly #shape: RecordShape
  #byte: number
  #line: number
  /** The beginning of a record whose end is in a later chunk. */
  #pending: Buffer[] = []
  #pendingBytes = 0
  readonly #scan: QuoteScan | null

  constructor(start: Place, shape: RecordShape) {
    this.#shape = shape
    this.#byte = start.byte
    this.#line = start.line
    this.#scan = shape.quoting === null ? null : new QuoteScan(shape.quoting)
  }

  cut(chunk: Buffer): readonly TextRecord[] {
    const records: TextRecord[] = []
    this.#scan?.begin()
    let from = 0
    for (;;) {
      const end = this.#scan === null ? chunk.indexOf(NEWLINE, from) : this.#scan.endOfRecord(chunk, from)
      if (end < 0) break
      records.push(this.#record(chunk.subarray(from, end), 1))
      from = end + 1
    }
    this.#keep(chunk.subarray(from))
    // Where a record was whole, it is handed over before the next one is found to be too large.
    if (records.length === 0) this.#assertSize(this.#pendingBytes)
    return records
  }

  /** What stands after the last line end, or null. */
  end(): TextRecord | null {
    if (this.#pendingBytes === 0) return null
    if (this.#scan?.isOpen === true)
      throw new BadFile(
        'broken_csv',
        `${this.#shape.name}, line ${this.#line + 1}, opens a quote that nothing closes.`,
      )
    return this.#record(Buffer.alloc(0), 0)
  }

  #keep(rest: Buffer): void {
    if (rest.length === 0) return
    this.#pending.push(rest)
    this.#pendingBytes += rest.length
  }

  #record(tail: Buffer, endBytes: number): TextRecord {
    this.#assertSize(this.#pendingBytes + tail.length)
    const whole = this.#pending.length === 0 ? tail : Buffer.concat([...this.#pending, tail])
    const line = this.#line + 1
    this.#byte += whole.length + endBytes
    this.#line += endBytes + (this.#scan === null ? 0 : newlinesIn(whole))
    this.#pending = []
    this.#pendingBytes = 0
    const bytes = whole.at(-1) === RETURN ? whole.subarray(0, -1) : whole
    return { bytes, line, nextByte: this.#byte, nextLine: this.#line }
  }

  #assertSize(bytes: number): void {
    const { name, maxBytes } = this.#shape
    if (bytes <= maxBytes) return
    throw new LakeduelError(
      'ROW_TOO_LARGE',
      `${name}, line ${this.#line + 1}, is longer than ${maxBytes} bytes.`,
      {
        facts: { file: name, line: this.#line + 1, maxBytes },
        remedy:
          'Leave that row out or split it; or give the extractor more memory, into which a row must fit ten times, and raise `maxRowBytes`, up to 500 MiB.',
      },
    )
  }
}

type ScanState = 'field-start' | 'plain' | 'quoted' | 'quote-in-quoted'

/** Finds the line ends that are not within quotes; its state goes on from chunk to chunk. */
class QuoteScan {
  readonly #quoting: Quoting
  #state: ScanState = 'field-start'
  /** Where the next quote of the chunk is, so that a chunk without one is searched once; -1 for none. */
  #nextQuote: number | null = null

  constructor(quoting: Quoting) {
    this.#quoting = quoting
  }

  get isOpen(): boolean {
    return this.#state === 'quoted'
  }

  /** A new chunk. */
  begin(): void {
    this.#nextQuote = null
  }

  endOfRecord(chunk: Buffer, from: number): number {
    for (let at = from; at < chunk.length; ) {
      if (this.#state === 'quoted') {
        const quote = this.#quoteFrom(chunk, at)
        if (quote < 0) return -1
        this.#state = 'quote-in-quoted'
        at = quote + 1
      } else if (this.#state === 'quote-in-quoted') {
        const isEscape = chunk[at] === this.#quoting.quote
        this.#state = isEscape ? 'quoted' : 'plain'
        at += Number(isEscape)
      } else {
        const end = this.#unquoted(chunk, at)
        if (end.isRecordEnd || end.at < 0) return end.at
        at = end.at
      }
    }
    return -1
  }

  /** Goes on to the record's end, or behind the next quote, whichever comes first. */
  #unquoted(chunk: Buffer, from: number): { readonly at: number; readonly isRecordEnd: boolean } {
    const newline = chunk.indexOf(NEWLINE, from)
    const quote = this.#quoteFrom(chunk, from)
    if (newline >= 0 && (quote < 0 || quote > newline)) {
      this.#state = 'field-start'
      return { at: newline, isRecordEnd: true }
    }
    if (quote < 0) {
      this.#state = chunk.at(-1) === this.#quoting.delimiter ? 'field-start' : 'plain'
      return { at: -1, isRecordEnd: false }
    }
    const opens = quote === from ? this.#opensAt(chunk, quote) : chunk[quote - 1] === this.#quoting.delimiter
    this.#state = opens ? 'quoted' : 'plain'
    return { at: quote + 1, isRecordEnd: false }
  }

  /** Whether a quote that nothing was read before in this step begins a field. */
  #opensAt(chunk: Buffer, quote: number): boolean {
    return this.#state === 'field-start' || (quote > 0 && chunk[quote - 1] === this.#quoting.delimiter)
  }

  #quoteFrom(chunk: Buffer, from: number): number {
    if (this.#nextQuote === null || (this.#nextQuote >= 0 && this.#nextQuote < from))
      this.#nextQuote = chunk.indexOf(this.#quoting.quote, from)
    return this.#nextQuote
  }
}

function newlinesIn(bytes: Buffer): number {
  let count = 0
  for (let at = bytes.indexOf(NEWLINE); at >= 0; at = bytes.indexOf(NEWLINE, at + 1)) count += 1
  return count
}
