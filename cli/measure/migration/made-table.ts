import { join } from 'node:path'
import { execa } from 'execa'
import pLimit from 'p-limit'
import { type Storage, uriOf } from '../../../platform/endpoints.ts'
import { openObjectStore } from '../../../platform/storage/object-store.ts'

const UPLOADS_AT_ONCE = 16

/** Commits of a file for each partition; one writer, as a pipeline is, and no floats, whose NaNs would be looked for. */
const SMALL_FILES = `
import sys
import pyarrow as pa
from deltalake import write_deltalake

path, files, partitions = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
ROWS = 10
written = 0
while written < files:
    now = min(partitions, files - written)
    ids = range(written * ROWS, (written + now) * ROWS)
    write_deltalake(path, pa.table({
        'id': pa.array(ids, pa.int64()),
        'part': [f'p{(i // ROWS) % partitions:03}' for i in ids],
        'name': [f'name {i}' for i in ids],
        'at': pa.array([1_700_000_000_000_000 + i for i in ids], pa.timestamp('us', 'UTC')),
    }), mode='append', partition_by=['part'])
    written += now
`

/** Files of 64 MiB of text that does not compress much, without partitions. */
const LARGE_FILES = `
import base64, os, sys
import pyarrow as pa
from deltalake import write_deltalake

path, size, first = sys.argv[1], int(sys.argv[2]), 0
ROWS = 65_536
while first * 1024 < size:
    text = base64.b64encode(os.urandom(768 * ROWS)).decode()
    write_deltalake(path, pa.table({
        'id': pa.array(range(first, first + ROWS), pa.int64()),
        'text': [text[i * 1024:(i + 1) * 1024] for i in range(ROWS)],
    }), mode='append')
    first += ROWS
`

/** What delta-rs writes: so many small files, or so many bytes in large ones. */
export type TableShape = { readonly files: number; readonly partitions: number } | { readonly bytes: number }

/** Makes a Delta table in a folder of this machine and copies it to a storage; returns its URI there. */
export async function makeDeltaTable(
  shape: TableShape,
  {
    python,
    folder,
    storage,
  }: { readonly python: string; readonly folder: string; readonly storage: Storage },
): Promise<string> {
  await writeDeltaTable(shape, python, folder)
  await using from = openObjectStore({ kind: 'local', root: folder })
  await using to = openObjectStore(storage)
  const files = await from.list('')
  await pLimit(UPLOADS_AT_ONCE).map(files, ({ key }) => to.putFile(join(folder, key), key))
  return uriOf(storage, '').replace(/\/$/, '')
}

/** Makes a Delta table in a folder of this machine. */
export async function writeDeltaTable(shape: TableShape, python: string, folder: string): Promise<void> {
  const [script, args] =
    'files' in shape
      ? [SMALL_FILES, [shape.files, shape.partitions].map(String)]
      : [LARGE_FILES, [String(shape.bytes)]]
  await execa(python, ['-c', script, folder, ...args])
}
