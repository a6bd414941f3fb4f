import type { RecordBatch } from 'apache-arrow'
import type { ColumnSpec } from '../../../backends/schema.ts'
import { CompactWriter, THRIFT } from './compact-protocol.ts'
import { type Leaf, leavesOf } from './leaves.ts'
import type { Bytes } from './levels.ts'
import { plainValues } from './plain.ts'
import { presentRows } from './present.ts'
import { physicalType, writeColumnOrders, writeSchema } from './schema.ts'
import { type ChunkStatistics, statisticsOf } from './statistics.ts'
import { zstd } from './zstd.ts'

const MAGIC = Buffer.from('PAR1')
const CREATED_BY = 'lakeduel'
const ENCODING = { plain: 0, rle: 3 } as const
const CODEC_ZSTD = 6
const DATA_PAGE = 0

/** A column of a row group, as the footer tells of it. */
interface Chunk {
  readonly path: readonly string[]
  readonly physicalType: number
  readonly offset: number
  readonly values: number
  readonly compressedBytes: number
  readonly uncompressedBytes: number
  readonly statistics: ChunkStatistics | null
}

interface RowGroup {
  readonly rows: number
  readonly chunks: readonly Chunk[]
}

/**
 * A Parquet file as a sequence of bytes: `start`, then any number of row groups, then `end`. Each record batch becomes a
 * row group, each of its columns one page, so that a row group holds as much as the caller puts into it; nothing but
 * the footer's entries is kept. Values are plain and compressed with zstd.
 */
export class ParquetFile {
  readonly #columns: readonly ColumnSpec[]
  readonly #rowGroups: RowGroup[] = []
  #offset = 0

  /** @param columns those of every batch, in its order */
  constructor(columns: readonly ColumnSpec[]) {
    this.#columns = columns
  }

  /** Bytes so far. */
  get bytes(): number {
    return this.#offset
  }

  start(): Bytes {
    this.#offset += MAGIC.length
    return MAGIC
  }

  async *rowGroup(batch: RecordBatch): AsyncGenerator<Bytes, void, void> {
    const chunks: Chunk[] = []
    for (const [index, { name, type }] of this.#columns.entries()) {
      const data = batch.data.children[index]
      if (data === undefined) throw new TypeError(`the batch has no column ${name}`)
      for (const leaf of leavesOf(name, type, data)) {
        const { chunk, pieces } = await this.#chunk(leaf)
        chunks.push(chunk)
        yield* pieces
      }
    }
    this.#rowGroups.push({ rows: batch.numRows, chunks })
  }

  end(): Bytes {
    const footer = this.#footer()
    const tail = Buffer.alloc(8)
    tail.writeUInt32LE(footer.length)
    MAGIC.copy(tail, 4)
    this.#offset += footer.length + tail.length
    return Buffer.concat([footer, tail])
  }

  async #chunk(leaf: Leaf): Promise<{ chunk: Chunk; pieces: readonly Bytes[] }> {
    const present = presentRows(leaf)
    const plain = [...leaf.levels, ...plainValues(leaf, present)]
    const page = await zstd(plain)
    const header = pageHeader(leaf.entries, sizeOf(plain), sizeOf(page))
    const offset = this.#offset
    this.#offset += header.length + sizeOf(page)
    return {
      pieces: [header, ...page],
      chunk: {
        path: leaf.path,
        physicalType: physicalType(leaf.type),
        offset,
        values: leaf.entries,
        compressedBytes: this.#offset - offset,
        uncompressedBytes: header.length + sizeOf(plain),
        statistics: statisticsOf(leaf, present),
      },
    }
  }

  #footer(): Bytes {
    const writer = new CompactWriter()
    writer.struct(() => {
      writer.i32Field(1, 1)
      writeSchema(writer, 2, this.#columns)
      writer.i64Field(
        3,
        this.#rowGroups.reduce((sum, { rows }) => sum + rows, 0),
      )
      writer.listField(4, THRIFT.struct, this.#rowGroups.length)
      for (const rowGroup of this.#rowGroups) writer.struct(() => writeRowGroup(writer, rowGroup))
      writer.textField(6, CREATED_BY)
      writeColumnOrders(writer, 7, this.#columns)
    })
    return writer.take()
  }
}

function pageHeader(values: number, uncompressedBytes: number, compressedBytes: number): Bytes {
  const writer = new CompactWriter()
  writer.struct(() => {
    writer.i32Field(1, DATA_PAGE)
    writer.i32Field(2, uncompressedBytes)
    writer.i32Field(3, compressedBytes)
    writer.structField(5, () => {
      writer.i32Field(1, values)
      writer.i32Field(2, ENCODING.plain)
      writer.i32Field(3, ENCODING.rle)
      writer.i32Field(4, ENCODING.rle)
    })
  })
  return writer.take()
}

function writeRowGroup(writer: CompactWriter, { rows, chunks }: RowGroup): void {
  writer.listField(1, THRIFT.struct, chunks.length)
  for (const chunk of chunks) writer.struct(() => writeChunk(writer, chunk))
  writer.i64Field(
    2,
    chunks.reduce((sum, { uncompressedBytes }) => sum + uncompressedBytes, 0),
  )
  writer.i64Field(3, rows)
}

function writeChunk(writer: CompactWriter, chunk: Chunk): void {
  writer.i64Field(2, chunk.offset)
  writer.structField(3, () => {
    writer.i32Field(1, chunk.physicalType)
    writer.listField(2, THRIFT.i32, 2)
    writer.i32(ENCODING.plain)
    writer.i32(ENCODING.rle)
    writer.listField(3, THRIFT.binary, chunk.path.length)
    for (const name of chunk.path) writer.text(name)
    writer.i32Field(4, CODEC_ZSTD)
    writer.i64Field(5, chunk.values)
    writer.i64Field(6, chunk.uncompressedBytes)
    writer.i64Field(7, chunk.compressedBytes)
    writer.i64Field(9, chunk.offset)
    if (chunk.statistics !== null) writeStatistics(writer, 12, chunk.statistics)
  })
}

function writeStatistics(writer: CompactWriter, id: number, { nulls, range }: ChunkStatistics): void {
  writer.structField(id, () => {
    writer.i64Field(3, nulls)
    if (range === null) return
    writer.bytesField(5, range.max)
    writer.bytesField(6, range.min)
    writer.boolField(7, true)
    writer.boolField(8, true)
  })
}

function sizeOf(pieces: readonly Bytes[]): number {
  return pieces.reduce((sum, piece) => sum + piece.length, 0)
}
