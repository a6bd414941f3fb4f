import type { DataFile } from './data-file.ts'

export interface ByteRange {
  readonly from: number
  /** Exclusive; past the end of the file it means the end. */
  readonly to: number
}

/** Where files lie: on local disk, or in a bucket. */
export interface FileStore extends AsyncDisposable {
  /**
   * What is there, in no order; folders, empty files and hidden ones are left out.
   * @throws LakeduelError of S3, or the file system's own error
   */
  list(signal: AbortSignal): Promise<readonly DataFile[]>
  /**
   * The bytes of a range, some at once.
   * @throws BadFile `file_changed` when it is no longer the file that was listed
   */
  read(file: DataFile, range: ByteRange, signal: AbortSignal): AsyncIterable<Uint8Array>
  /** By which DuckDB knows the file. */
  uriOf(file: DataFile): string
}
