import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { DeletionVectorReader } from '../../../migrate/log/deletion-vectors/deletion-vectors.ts'
import { decodePositions } from '../../../migrate/log/deletion-vectors/roaring.ts'
import { decodeZ85 } from '../../../migrate/log/deletion-vectors/z85.ts'
import { openLocal, ScratchTable, snapshotOf } from '../tables.ts'

type Kind = 'array' | 'bitmap' | 'run'

const bytesOf = (width: 2 | 4 | 8, ...values: readonly number[]): Buffer => {
  const buffer = Buffer.alloc(width * values.length)
  for (const [index, value] of values.entries()) {
    if (width === 2) buffer.writeUInt16LE(value, index * 2)
    else if (width === 4) buffer.writeUInt32LE(value, index * 4)
    else buffer.writeBigUInt64LE(BigInt(value), index * 8)
  }
  return buffer
}

/** The values of one container as the RoaringFormatSpec lays them out. */
function container(values: readonly number[], kind: Kind): Buffer {
  if (kind === 'array') return bytesOf(2, ...values)
  if (kind === 'bitmap') {
    const words = Buffer.alloc(8192)
    for (const value of values) words[value >> 3] = (words[value >> 3] ?? 0) | (1 << (value & 7))
    return words
  }
  return Buffer.concat([bytesOf(2, values.length), ...values.map((value) => bytesOf(2, value, 0))])
}

/** An encoder of its own, for containers of one kind. */
function encode(positions: readonly number[], kind: Kind): Buffer {
  const bitmaps = Map.groupBy(positions, (position) => Math.floor(position / 2 ** 32))
  const parts = [...bitmaps].map(([key, inBitmap]) => {
    const containers = [...Map.groupBy(inBitmap, (position) => Math.floor((position % 2 ** 32) / 65_536))]
    const runs = kind === 'run'
    const head = runs
      ? [
          bytesOf(4, 12_347 | ((containers.length - 1) << 16)),
          Buffer.alloc(Math.ceil(containers.length / 8), 255),
        ]
      : [bytesOf(4, 12_346, containers.length)]
    const keys = containers.map(([high, values]) => bytesOf(2, high, values.length - 1))
    const offsets = !runs || containers.length >= 4 ? [Buffer.alloc(containers.length * 4)] : []
    const data = containers.map(([, values]) =>
      container(
        values.map((value) => value % 65_536),
        kind,
      ),
    )
    return Buffer.concat([bytesOf(4, key), ...head, ...keys, ...offsets, ...data])
  })
  return Buffer.concat([bytesOf(4, 1_681_511_377), bytesOf(8, bitmaps.size), ...parts])
}

const positionsArbitrary = fc
  .uniqueArray(fc.oneof(fc.nat(200_000), fc.nat(2 ** 31 - 1), fc.bigInt(0n, 2n ** 40n).map(Number)), {
    minLength: 1,
  })
  .map((positions) => positions.toSorted((a, b) => a - b))

test.each(['array', 'run'] as const)('positions in %s containers come back in order', (kind) => {
  fc.assert(
    fc.property(positionsArbitrary, (positions) => {
      expect(decodePositions(encode(positions, kind))).toEqual(positions)
    }),
  )
})

test('positions in bitmap containers come back in order', () => {
  const positions = Array.from({ length: 9_000 }, (_, index) => index * 7)
  expect(decodePositions(encode(positions, 'bitmap'))).toEqual(positions)
})

test('a bitmap that was cut short, or is none, is refused', () => {
  const whole = encode([1, 2, 70_000], 'array')
  for (let length = 0; length < whole.length; length += 1) {
    expect(() => decodePositions(whole.subarray(0, length))).toThrow(/bytes|begins with/)
  }
  expect(() => decodePositions(Buffer.alloc(40))).toThrow('begins with 0')
})

test('base85 text is decoded as in the RFC', () => {
  expect(Buffer.from(decodeZ85('HelloWorld')).toString('hex')).toBe('864fd26fb559f75b')
  expect(() => decodeZ85('HelloWorl')).toThrow('9 characters')
  expect(() => decodeZ85('Hell~')).toThrow('~')
})

const DV_TABLE = 'dat/deletion_vectors/delta'

async function positionsIn(path: string) {
  await using source = await openLocal(path)
  const [file] = (await snapshotOf(path)).files
  if (file?.deletionVector == null) throw new Error('the fixture has lost its deletion vector')
  return await new DeletionVectorReader(source).positions(file.deletionVector, 'the log')
}

const ALPHABET = '0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#'

function encodeZ85(bytes: Buffer): string {
  const padded = Buffer.concat([bytes, Buffer.alloc((4 - (bytes.length % 4)) % 4)])
  const words = Array.from({ length: padded.length / 4 }, (_, index) => padded.readUInt32BE(index * 4))
  return words
    .map((word) =>
      [85 ** 4, 85 ** 3, 85 ** 2, 85, 1].map((unit) => ALPHABET[Math.floor(word / unit) % 85]).join(''),
    )
    .join('')
}

test('a deletion vector within the log tells its rows, and refuses when it has others than the log says', async () => {
  await using table = await ScratchTable.empty()
  await using source = await openLocal(table.path)
  const bytes = encode([3, 9, 70_001], 'array')
  const vector = { storageType: 'i', pathOrInlineDv: encodeZ85(bytes), sizeInBytes: bytes.length } as const
  const reader = new DeletionVectorReader(source)
  expect(await reader.positions({ ...vector, cardinality: 3 }, 'the log')).toEqual([3, 9, 70_001])
  await expect(reader.positions({ ...vector, cardinality: 2 }, 'the log')).rejects.toThrow(
    'deletes 3 rows, and the log says 2',
  )
})

test.each([
  ['is cut short', (bytes: Buffer) => bytes.subarray(0, 20), 'bytes, and the log puts'],
  [
    'is damaged',
    (bytes: Buffer) => Buffer.from(bytes).fill(255, bytes.length - 8, bytes.length - 4),
    'damaged',
  ],
])('a deletion vector that %s refuses the table, naming the file', async (_, spoil, message) => {
  await using table = await ScratchTable.copyOf(DV_TABLE)
  for (const name of (await readdir(table.path)).filter((entry) => entry.endsWith('.bin'))) {
    await writeFile(join(table.path, name), spoil(await readFile(join(table.path, name))))
  }
  await expect(positionsIn(table.path)).rejects.toThrow(message)
  await expect(positionsIn(table.path)).rejects.toThrow(/deletion_vector_[0-9a-f-]{36}\.bin/)
})
