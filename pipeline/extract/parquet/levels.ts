/** A part of a page: some bytes, which go into the file one after the other. */
export type Bytes = Uint8Array

/** A run of one level: its length, then the level itself in the bytes that `bits` take. */
function repeated(level: number, count: number): Buffer {
  return Buffer.from([...varint(count * 2), level])
}

/** Levels of up to three bits each; the lowest bits of a byte come first. */
function packed(levels: Uint8Array, bits: number): Bytes {
  const groups = Math.ceil(levels.length / 8)
  const bytes = Buffer.alloc(groups * bits)
  for (let at = 0; at < levels.length; at += 1) {
    const bit = at * bits
    const shifted = (levels[at] ?? 0) << (bit & 7)
    bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) | (shifted & 255)
    if (shifted > 255) bytes[(bit >> 3) + 1] = (bytes[(bit >> 3) + 1] ?? 0) | (shifted >> 8)
  }
  return Buffer.concat([Buffer.from(varint(groups * 2 + 1)), bytes])
}

/** Levels as a page holds them: their length in four bytes, then runs. */
export function levelsOf(levels: Uint8Array, maxLevel: number): Bytes {
  const [first = 0] = levels
  const isOneRun = levels.every((level) => level === first)
  const bits = 32 - Math.clz32(maxLevel)
  return prefixed(isOneRun ? repeated(first, levels.length) : packed(levels, bits))
}

/** The definition levels of a column that isn't nested: which rows have a value is what Arrow's bitmap says, bit by bit. */
export function levelsOfBitmap(bitmap: Uint8Array | null, rows: number): Bytes {
  if (bitmap === null) return prefixed(repeated(1, rows))
  const groups = (rows + 7) >> 3
  return prefixed(Buffer.concat([Buffer.from(varint(groups * 2 + 1)), bitmap.subarray(0, groups)]))
}

function prefixed(run: Bytes): Bytes {
  const length = Buffer.alloc(4)
  length.writeUInt32LE(run.length)
  return Buffer.concat([length, run])
}

function varint(value: number): readonly number[] {
  return value < 128 ? [value] : [(value % 128) | 128, ...varint(Math.floor(value / 128))]
}
