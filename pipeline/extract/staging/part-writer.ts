import { once } from 'node:events'
import { PassThrough } from 'node:stream'
import type { StagedPart } from '../../../backends/backend.ts'
import type { ColumnSpec } from '../../../backends/schema.ts'
import { faultPoint } from '../../faults.ts'
import { ParquetFile } from '../parquet/file.ts'
import { otherTurns } from '../turns.ts'
import type { ArrowRows } from './arrow-batch.ts'
import type { PartStore } from './part-store.ts'

/** One part: a Parquet file that is on its way to the store while its rows come in. */
export class PartWriter {
  readonly columns: readonly ColumnSpec[]
  readonly #uri: string
  readonly #file: ParquetFile
  readonly #body = new PassThrough()
  readonly #upload: Promise<void>
  #rows = 0
  #payloadBytes = 0

  constructor(store: PartStore, key: string, uri: string, columns: readonly ColumnSpec[]) {
    this.columns = columns
    this.#uri = uri
    this.#file = new ParquetFile(columns)
    this.#upload = store.put(key, this.#body)
    // A failure shows with the next write, or at the end; until then nobody waits for it, and nobody hears the stream.
    this.#upload.catch(() => undefined)
    this.#body.on('error', () => undefined)
  }

  get payloadBytes(): number {
    return this.#payloadBytes
  }

  /** The rows become a row group. Waits for the store where that is slower. */
  async add({ batch, payloadBytes }: ArrowRows): Promise<void> {
    if (this.#rows === 0) await this.#write(this.#file.start())
    for await (const bytes of this.#file.rowGroup(batch)) {
      await this.#write(bytes)
      await otherTurns()
    }
    this.#rows += batch.numRows
    this.#payloadBytes += payloadBytes
    await faultPoint('mid-upload')
  }

  async finish(): Promise<StagedPart> {
    this.#body.end(this.#file.end())
    await this.#upload
    return {
      uri: this.#uri,
      rows: this.#rows,
      bytes: this.#file.bytes,
      payloadBytes: Math.round(this.#payloadBytes),
    }
  }

  /** Breaks the upload off, so that no object comes of it where the storage is S3. */
  async abort(): Promise<void> {
    this.#body.destroy(new Error('the part was abandoned'))
    await this.#upload.catch(() => undefined)
  }

  async #write(bytes: Uint8Array): Promise<void> {
    if (this.#body.write(bytes)) return
    await Promise.race([once(this.#body, 'drain'), this.#upload])
  }
}
