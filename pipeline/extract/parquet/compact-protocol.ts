/** Types of Thrift's compact protocol, as a field's or list's header names them. */
export const THRIFT = { true: 1, false: 2, i32: 5, i64: 6, binary: 8, list: 9, struct: 12 } as const

const FIRST_BYTES = 1_024

/**
 * Writes what Parquet's headers are made of: structs of numbered fields in Thrift's compact protocol. Fields must come in
 * the order of their numbers.
 */
export class CompactWriter {
  #bytes = Buffer.alloc(FIRST_BYTES)
  #length = 0
  /** The number of the last field, of each struct that is open. */
  readonly #fields: number[] = []

  take(): Uint8Array {
    return this.#bytes.subarray(0, this.#length)
  }

  /** A struct that no field leads to: the outermost one, and the elements of a list. */
  struct(write: () => void): void {
    this.#fields.push(0)
    write()
    this.#fields.pop()
    this.#byte(0)
  }

  structField(id: number, write: () => void = () => undefined): void {
    this.#field(id, THRIFT.struct)
    this.struct(write)
  }

  boolField(id: number, value: boolean): void {
    this.#field(id, value ? THRIFT.true : THRIFT.false)
  }

  i32Field(id: number, value: number): void {
    this.#field(id, THRIFT.i32)
    this.i32(value)
  }

  /** Of a safe integer that is not negative, as sizes and counts are. */
  i64Field(id: number, value: number): void {
    this.#field(id, THRIFT.i64)
    this.#varint(value * 2)
  }

  /** An eight bit integer, which has no zigzag. */
  i8Field(id: number, value: number): void {
    this.#field(id, 3)
    this.#byte(value)
  }

  textField(id: number, text: string): void {
    this.#field(id, THRIFT.binary)
    this.text(text)
  }

  listField(id: number, elementType: number, length: number): void {
    this.#field(id, THRIFT.list)
    if (length < 15) {
      this.#byte((length << 4) | elementType)
    } else {
      this.#byte(0xf0 | elementType)
      this.#varint(length)
    }
  }

  i32(value: number): void {
    this.#varint(value * 2)
  }

  bytesField(id: number, bytes: Uint8Array): void {
    this.#field(id, THRIFT.binary)
    this.#varint(bytes.length)
    this.#reserve(bytes.length)
    this.#bytes.set(bytes, this.#length)
    this.#length += bytes.length
  }

  text(text: string): void {
    const bytes = Buffer.byteLength(text)
    this.#varint(bytes)
    this.#reserve(bytes)
    this.#length += this.#bytes.write(text, this.#length)
  }

  #field(id: number, type: number): void {
    const last = this.#fields.length - 1
    const delta = id - (this.#fields[last] ?? 0)
    this.#fields[last] = id
    this.#byte((delta << 4) | type)
  }

  #varint(value: number): void {
    let rest = value
    while (rest > 127) {
      this.#byte((rest % 128) | 128)
      rest = Math.floor(rest / 128)
    }
    this.#byte(rest)
  }

  #byte(value: number): void {
    this.#reserve(1)
    this.#bytes[this.#length] = value
    this.#length += 1
  }

  #reserve(bytes: number): void {
    if (this.#length + bytes <= this.#bytes.length) return
    const room = Buffer.alloc(Math.max(this.#bytes.length * 2, this.#length + bytes))
    this.#bytes.copy(room)
    this.#bytes = room
  }
}
