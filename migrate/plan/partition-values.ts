import { z } from 'zod'
import type { DuckDbSession } from '../../platform/duckdb/session.ts'
import { literal } from '../../platform/duckdb/sql.ts'
import type { DataFile } from '../log/data-file.ts'
import type { DeltaField } from '../log/schema.ts'
import { hiveSegments, hiveValue } from './hive-path.ts'
import { sqlOf } from './types.ts'

const HAS_ZONE = /(?:Z|[+-]\d{2}(?::?\d{2})?)$/i

/**
 * A partition value of the log as SQL. Times without a zone are taken as UTC, as the kernel and delta-rs take them; the
 * protocol leaves them to the writer's zone, which nobody knows any more.
 */
export function partitionSql({ type }: DeltaField, value: string | null): string {
  const sql = sqlOf(type, 'logical')
  if (value === null) return `CAST(NULL AS ${sql})`
  if (sql === 'BLOB') return `encode(${literal(value)})`
  return `CAST(${literal(value)} AS ${sql})`
}

/**
 * Why DuckLake would read other partition values from a file's path than the log has, as sentences; empty where it reads
 * the same.
 * @param fields the partition columns
 * @param others physical names of the other columns, which a folder of their name would override
 */
export function pathProblems(
  file: DataFile,
  fields: readonly DeltaField[],
  others: readonly string[],
): readonly string[] {
  const segments = hiveSegments(file.uri)
  const lower = new Set([...segments.keys()].map((key) => key.toLowerCase()))
  return [
    ...fields.flatMap((field) => valueProblems(file, field, segments)),
    ...others
      .filter((name) => lower.has(name.toLowerCase()))
      .map((name) => `a folder in its path would override column "${name}"`),
  ]
}

function valueProblems(
  file: DataFile,
  field: DeltaField,
  segments: ReadonlyMap<string, string>,
): readonly string[] {
  const { physicalName, name } = field
  const sql = sqlOf(field.type, 'logical')
  const logged = file.partitionValues[physicalName] ?? null
  const segment = segments.get(physicalName)
  if (segment === undefined)
    return [`its path has no folder ${physicalName}=…, where DuckLake would look for "${name}"`]
  if (sql === 'BLOB') return [`DuckLake can't read the binary "${name}" from a path`]
  const read = hiveValue(segment, sql === 'VARCHAR')
  if (read === undefined) return [`"${name}" is no text in its path`]
  if (read !== logged) {
    return [
      `DuckLake would read "${name}" as ${shown(read)} from its path, and the log says ${shown(logged)}`,
    ]
  }
  if (logged !== null && sql === 'TIMESTAMP WITH TIME ZONE' && !HAS_ZONE.test(logged)) {
    return [`"${name}" is a time without a zone in its path, which DuckLake would take as the reader's`]
  }
  return []
}

function shown(value: string | null): string {
  return value === null ? 'NULL' : `'${value}'`
}

/** Values of the log that aren't of their column's type, as sentences. */
export async function invalidPartitionValues(
  session: DuckDbSession,
  files: readonly DataFile[],
  fields: readonly DeltaField[],
): Promise<readonly string[]> {
  const problems: string[] = []
  for (const field of fields) {
    const sql = sqlOf(field.type, 'logical')
    const values = new Set(files.map(({ partitionValues }) => partitionValues[field.physicalName] ?? null))
    const texts = [...values].filter((value) => value !== null)
    if (texts.length === 0 || sql === 'BLOB' || sql === 'VARCHAR') continue
    const rows = await session.query(
      z.object({ value: z.string() }),
      `SELECT value FROM (VALUES ${texts.map((text) => `(${literal(text)})`).join(', ')}) AS logged(value) WHERE TRY_CAST(value AS ${sql}) IS NULL`,
    )
    problems.push(
      ...rows.map(
        ({ value }) =>
          `The log puts files into the partition "${field.name}" = '${value}', which is no ${sql}`,
      ),
    )
  }
  return problems
}
