import type { StoredObject } from '../../platform/storage/object-store.ts'
import type { DataFile } from '../log/data-file.ts'
import { deletionVectorFile } from '../log/deletion-vectors/deletion-vectors.ts'
import { commitKey } from '../log/log.ts'
import type { DeltaSnapshot } from '../log/snapshot.ts'
import type { Footer } from '../parquet/footers.ts'
import type { DeltaSource } from '../source/source.ts'

/** What the storage itself says against the log: files that are missing or of another size. Sentences. */
export function missingFiles(
  source: DeltaSource,
  snapshot: DeltaSnapshot,
  present: ReadonlyMap<string, StoredObject>,
): readonly string[] {
  return snapshot.files.flatMap((file) => [
    ...dataFileProblems(file, present),
    ...vectorProblems(source, snapshot, file, present),
  ])
}

function dataFileProblems(file: DataFile, present: ReadonlyMap<string, StoredObject>): readonly string[] {
  if (file.key === null) return []
  const stored = present.get(file.key)
  if (stored === undefined) return [`${file.uri} is missing: it was removed (by VACUUM?) or never copied`]
  if (stored.bytes === file.bytes) return []
  return [`${file.uri} has ${stored.bytes} bytes, and the log says ${file.bytes}`]
}

function vectorProblems(
  { storage }: DeltaSource,
  { version }: DeltaSnapshot,
  { deletionVector }: DataFile,
  present: ReadonlyMap<string, StoredObject>,
): readonly string[] {
  if (deletionVector === null) return []
  const vector = deletionVectorFile(storage, deletionVector, commitKey(version))
  if (vector === null || vector.key === null || present.has(vector.key)) return []
  return [`${vector.uri} is missing, and holds a deletion vector`]
}

/** What a footer says against the log. Sentences. */
export function footerProblems(file: DataFile, footer: Footer): readonly string[] {
  const deleted = file.deletionVector?.cardinality ?? 0
  return [
    ...(footer.encrypted ? [`${file.uri} is encrypted`] : []),
    ...(file.rows === null || file.rows === footer.rows
      ? []
      : [`${file.uri} has ${footer.rows} rows, and the log says ${file.rows}`]),
    ...(deleted > footer.rows
      ? [`${file.uri} has ${footer.rows} rows, and ${deleted} of them are deleted`]
      : []),
  ]
}
