import { createHash } from 'node:crypto'
import { fileIdentity } from '../log/data-file.ts'
import type { FilePlan } from '../plan/file-plan.ts'
import type { TablePlan } from '../plan/plan.ts'
import type { Ownership } from '../state/state.ts'

/** Files that go into the lake table in one transaction. */
export interface Batch {
  readonly kind: 'register' | 'rewrite'
  readonly files: readonly FilePlan[]
}

const FILES_PER_REGISTRATION = 1_000
/** Compressed bytes that one transaction rewrites: what a kill costs at most. */
const BYTES_PER_REWRITE = 1024 * 2 ** 20
const FILES_PER_REWRITE = 500

/** The batches of a plan, in their order; the same plan always has the same ones. */
export function batchesOf({ files }: TablePlan): readonly Batch[] {
  const sorted = files.toSorted((a, b) => compare(orderOf(a), orderOf(b)))
  const registered = sorted.filter(({ action }) => action === 'register' || action === 'register-and-delete')
  const rewritten = sorted.filter(({ action }) => action === 'rewrite')
  return [
    ...chunks(registered, FILES_PER_REGISTRATION, Number.POSITIVE_INFINITY).map((some) => ({
      kind: 'register' as const,
      files: some,
    })),
    ...chunks(rewritten, FILES_PER_REWRITE, BYTES_PER_REWRITE).map((some) => ({
      kind: 'rewrite' as const,
      files: some,
    })),
  ]
}

/** By partition first, so that a batch opens few files. */
function orderOf({ file }: FilePlan): string {
  return `${JSON.stringify(file.partitionValues)} ${file.uri}`
}

function compare(a: string, b: string): number {
  if (a === b) return 0
  return a < b ? -1 : 1
}

function chunks(
  files: readonly FilePlan[],
  maxFiles: number,
  maxBytes: number,
): readonly (readonly FilePlan[])[] {
  const all: FilePlan[][] = []
  let bytes = 0
  for (const file of files) {
    const last = all.at(-1)
    bytes += file.footer.bytes
    if (last === undefined || last.length >= maxFiles || bytes > maxBytes) {
      all.push([file])
      bytes = file.footer.bytes
    } else {
      last.push(file)
    }
  }
  return all
}

/** What a run that resumes must come to as well, in short. */
export function digestOf(plan: TablePlan, ownership: Ownership): string {
  const hash = createHash('sha256')
  const columns = plan.columns.map(({ field, sql, nullable }) => [
    field.name,
    field.physicalName,
    sql,
    nullable,
  ])
  hash.update(
    JSON.stringify([
      plan.snapshot.version,
      ownership,
      plan.naming,
      columns,
      plan.snapshot.table.partitionColumns,
    ]),
  )
  for (const { kind, files } of batchesOf(plan)) {
    const identities = files.map(({ file }) => fileIdentity(file.loggedPath, file.deletionVector))
    hash.update(JSON.stringify([kind, identities]))
  }
  return hash.digest('hex')
}
