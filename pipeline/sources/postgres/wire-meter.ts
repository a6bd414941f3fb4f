const HEADER_BYTES = 5
const DATA_ROW = 'D'.charCodeAt(0)

/**
 * Follows the messages of a Postgres connection as they come in, ahead of the client. So the size of a row is known from
 * its header, before its bytes are here, and a row that is too large is never held.
 */
export class WireMeter {
  readonly #maxRowBytes: number
  readonly #onTooLarge: (rowBytes: number) => void
  readonly #header = Buffer.alloc(HEADER_BYTES)
  #headerBytes = 0
  #bodyBytesLeft = 0
  #rows: number[] = []
  #taken = 0

  /** @param onTooLarge must end the connection */
  constructor(maxRowBytes: number, onTooLarge: (rowBytes: number) => void) {
    this.#maxRowBytes = maxRowBytes
    this.#onTooLarge = onTooLarge
  }

  /** Takes the bytes of a whole number of messages and, at its end, a part of another, in order. */
  follow(chunk: Buffer): void {
    let offset = 0
    while (offset < chunk.length) {
      if (this.#bodyBytesLeft > 0) {
        const step = Math.min(this.#bodyBytesLeft, chunk.length - offset)
        this.#bodyBytesLeft -= step
        offset += step
        continue
      }
      const copied = chunk.copy(
        this.#header,
        this.#headerBytes,
        offset,
        offset + HEADER_BYTES - this.#headerBytes,
      )
      this.#headerBytes += copied
      offset += copied
      if (this.#headerBytes === HEADER_BYTES) this.#startMessage()
    }
  }

  /** The size of the next row, in the order in which they came. */
  takeRowBytes(): number {
    const bytes = this.#rows[this.#taken] ?? 0
    this.#taken += 1
    if (this.#taken >= this.#rows.length) this.forgetRows()
    return bytes
  }

  /** Rows that came so far are of no interest. */
  forgetRows(): void {
    this.#rows = []
    this.#taken = 0
  }

  #startMessage(): void {
    this.#headerBytes = 0
    // The length counts itself, but not the letter before it.
    const bytes = this.#header.readUInt32BE(1)
    this.#bodyBytesLeft = bytes - 4
    if (this.#header[0] !== DATA_ROW) return
    this.#rows.push(bytes)
    if (bytes > this.#maxRowBytes) this.#onTooLarge(bytes)
  }
}
