import type { ColumnFingerprint, ComparedColumn, Fingerprint } from './fingerprint.ts'

/** How a lake table differs from what a reader sees in the Delta table. */
export interface Difference {
  /** `rows`, `content`, a column, or a partition. */
  readonly subject: string
  readonly delta: string
  readonly lake: string
}

/** Everything in which two fingerprints differ; what either doesn't tell is no difference. */
export function differences(
  delta: Fingerprint,
  lake: Fingerprint,
  columns: readonly ComparedColumn[],
): readonly Difference[] {
  return [
    ...difference('rows', delta.rows, lake.rows),
    ...difference('content of all rows', delta.hash, lake.hash),
    ...columns.flatMap(({ name }, index) =>
      columnDifferences(name, delta.columns[index], lake.columns[index]),
    ),
    ...partitionDifferences(delta, lake),
  ]
}

function columnDifferences(
  name: string,
  delta: ColumnFingerprint | undefined,
  lake: ColumnFingerprint | undefined,
): readonly Difference[] {
  if (delta === undefined || lake === undefined) return difference(`column "${name}"`, 'is there', 'is not')
  const of = (what: string) => `column "${name}": ${what}`
  return [
    ...difference(of('NULLs'), delta.nulls, lake.nulls),
    ...difference(of('smallest'), delta.min, lake.min),
    ...difference(of('largest'), delta.max, lake.max),
    ...difference(of('distinct values, about'), delta.distinct, lake.distinct),
    ...difference(of('content'), delta.hash, lake.hash),
  ]
}

function partitionDifferences(delta: Fingerprint, lake: Fingerprint): readonly Difference[] {
  const keys = [...new Set([...delta.partitions.keys(), ...lake.partitions.keys()])]
  return keys.flatMap((key) =>
    difference(`rows of partition ${key}`, delta.partitions.get(key) ?? 0n, lake.partitions.get(key) ?? 0n),
  )
}

type Told = string | number | bigint | null

function difference(subject: string, delta: Told, lake: Told): readonly Difference[] {
  if (delta === lake || delta === null || lake === null) return []
  return [{ subject, delta: String(delta), lake: String(lake) }]
}
