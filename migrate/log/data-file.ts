import { z } from 'zod'
import type { Storage } from '../../platform/endpoints.ts'
import type { AddAction, DeletionVector } from './actions.ts'
import type { FilePath } from './file-path.ts'
import { resolveFilePath } from './file-path.ts'

/** A data file of one version of a table. */
export interface DataFile extends FilePath {
  /** As the log has it; with the deletion vector it is what identifies the file. */
  readonly loggedPath: string
  /** By physical name; NULL is null. */
  readonly partitionValues: Readonly<Record<string, string | null>>
  readonly bytes: number
  readonly modifiedAtMs: number
  /** Physical rows, deleted ones included; null where no statistics tell. */
  readonly rows: number | null
  readonly deletionVector: DeletionVector | null
}

const statsSchema = z.object({ numRecords: z.int().nonnegative().nullish() })

/** @param logFile where the action stands, for errors */
export function dataFileOf(table: Storage, add: AddAction, logFile: string): DataFile {
  return {
    ...resolveFilePath(table, '', add.path, logFile),
    loggedPath: add.path,
    partitionValues: nullsOf(add.partitionValues),
    bytes: add.size,
    modifiedAtMs: add.modificationTime,
    rows: rowsOf(add.stats ?? null),
    deletionVector: add.deletionVector ?? null,
  }
}

/** The same path with another deletion vector is another file to the log. */
export function fileIdentity(path: string, vector: DeletionVector | null | undefined): string {
  return vector == null ? path : `${path}\0${deletionVectorId(vector)}`
}

export function deletionVectorId({ storageType, pathOrInlineDv, offset }: DeletionVector): string {
  return `${storageType}${pathOrInlineDv}${offset == null ? '' : `@${offset}`}`
}

/** "An empty string for any type translates to a null partition value" (PROTOCOL.md, Partition Value Serialization). */
function nullsOf(values: Readonly<Record<string, string | null>>): Readonly<Record<string, string | null>> {
  return Object.fromEntries(
    Object.entries(values).map(([name, value]) => [name, value === '' ? null : value]),
  )
}

/** Statistics are a help that writers may leave out or spoil, so what can't be read of them isn't there. */
function rowsOf(stats: string | null): number | null {
  if (stats === null) return null
  try {
    return statsSchema.parse(JSON.parse(stats)).numRecords ?? null
  } catch {
    return null
  }
}
