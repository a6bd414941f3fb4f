import type { FileFormat, FilesConfig } from './config.ts'
import { readCsv } from './csv.ts'
import type { DataFile } from './data-file.ts'
import type { FileStore } from './file-store.ts'
import { readNdjson } from './ndjson.ts'
import { openDuckDb, readParquet } from './parquet.ts'
import type { PlacedRow, Position } from './position.ts'
import { s3AccessOf } from './s3-files.ts'

/** Reads files of one format, one at a time. */
export interface FileReader extends AsyncDisposable {
  /** The rows after a position, some at once; each is made when it is taken. */
  rows(file: DataFile, position: Position, signal: AbortSignal): AsyncIterable<Iterable<PlacedRow>>
}

export async function openReader(
  format: FileFormat,
  config: FilesConfig,
  store: FileStore,
): Promise<FileReader> {
  const { maxRowBytes } = config
  switch (format) {
    case 'ndjson':
      return withoutState((file, position, signal) =>
        readNdjson(store, file, { position, maxRowBytes, signal }),
      )
    case 'csv':
      return withoutState((file, position, signal) => readCsv(store, file, { position, config, signal }))
    case 'parquet': {
      const session = await openDuckDb(config.location.startsWith('s3://') ? s3AccessOf(config) : null)
      return {
        rows: (file, position) =>
          readParquet(session, { name: file.name, uri: store.uriOf(file) }, { position, maxRowBytes }),
        [Symbol.asyncDispose]: () => session.close(),
      }
    }
  }
}

function withoutState(rows: FileReader['rows']): FileReader {
  return { rows, [Symbol.asyncDispose]: () => Promise.resolve() }
}
