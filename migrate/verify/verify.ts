import { z } from 'zod'
import { LAKE } from '../../backends/ducklake/catalog.ts'
import { duckDbVersion } from '../../platform/duckdb/session.ts'
import { literal } from '../../platform/duckdb/sql.ts'
import { messageOf } from '../../platform/errors.ts'
import { VERSION } from '../../platform/version.ts'
import type { Lake } from '../lake/lake.ts'
import { sqlName, type TableName } from '../lake/table-name.ts'
import type { DeltaSnapshot } from '../log/snapshot.ts'
import type { PlannedColumn } from '../plan/columns.ts'
import type { DeltaSource } from '../source/source.ts'
import { type Difference, differences } from './compare.ts'
import { conclude } from './conclude.ts'
import { compareRows } from './except.ts'
import { checkFilters } from './filters.ts'
import { type ComparedColumn, type Fingerprint, fingerprint } from './fingerprint.ts'
import type { Proof, ReaderVerdict } from './proof.ts'
import { type DeltaReader, deltaRsReader, kernelReader, type ReaderAccess, type Reading } from './readers.ts'
import { schemaDifferences } from './schema.ts'

export interface VerifyOptions {
  /** Whether to compare all rows one by one; else that is done where something differs, to name rows. */
  readonly rowByRow: boolean
  /** Whether the table was brought to its version step by step, and may have its columns in another order. */
  readonly anyColumnOrder: boolean
}

const READERS: readonly DeltaReader[] = [kernelReader, deltaRsReader]

/**
 * Compares a lake table with a version of a Delta table that two readers of others read: counts, schema, partitions, columns,
 * content, and filters. Nothing is written but to the scratch folder.
 */
export async function verifyTable(
  access: ReaderAccess,
  source: DeltaSource,
  lake: Lake,
  name: TableName,
  expected: { readonly snapshot: DeltaSnapshot; readonly columns: readonly PlannedColumn[] },
  options: VerifyOptions,
): Promise<Proof> {
  const columns = expected.columns.map(({ field, sql }) => ({ name: field.name, sql }))
  const { version, table } = expected.snapshot
  const reading = { source, version, columns, partitionColumns: table.partitionColumns }
  const schema = await schemaDifferences(lake, name, expected.columns, options.anyColumnOrder)
  if (schema.length > 0) return failedSchema(lake, name, reading, schema)
  const relation = sqlName(name)
  const found = await fingerprint(lake.session, relation, columns, table.partitionColumns)
  const readers: ReaderVerdict[] = []
  for (const reader of READERS) readers.push(await ask(reader, access, reading, found))
  const filters = await checkFilters(lake.session, relation, columns, table.partitionColumns)
  const rowByRow = needsRows(readers, options)
    ? await compareRows(access, lake, relation, reading, { rows: Number(found.rows), all: options.rowByRow })
    : null
  return {
    ...(await headOf(lake, name, reading)),
    ...figuresOf(found, columns),
    schema,
    readers,
    filters,
    rowByRow,
    history: [],
    ...conclude(readers, filters, rowByRow),
  }
}

/** The proof with what time travel gives; a version that differs fails it. */
export async function withHistory(proof: Proof, verifying: Promise<Proof['history']>): Promise<Proof> {
  const history = await verifying
  const wrong = history.filter(({ outcome }) => outcome === 'different')
  if (wrong.length === 0) return { ...proof, history }
  const versions = wrong.map(({ version }) => version).join(', ')
  return {
    ...proof,
    history,
    passed: false,
    verdict: `Time travel gives other rows for version ${versions}.`,
  }
}

async function ask(
  reader: DeltaReader,
  access: ReaderAccess,
  reading: Reading,
  found: Fingerprint,
): Promise<ReaderVerdict> {
  const startedAt = performance.now()
  const verdict = (outcome: ReaderVerdict['outcome'], rest: Partial<ReaderVerdict>): ReaderVerdict => ({
    reader: reader.name,
    outcome,
    differences: [],
    message: null,
    ...rest,
    durationMs: performance.now() - startedAt,
  })
  try {
    const seen = await reader.fingerprint(access, reading)
    const differing = differences(seen, found, reading.columns)
    return verdict(differing.length === 0 ? 'same' : 'different', { differences: differing })
  } catch (error) {
    return verdict('could not read', { message: messageOf(error).split('\n')[0] ?? '' })
  }
}

function needsRows(readers: readonly ReaderVerdict[], { rowByRow }: VerifyOptions): boolean {
  const [kernel] = readers
  return (
    kernel?.outcome !== 'could not read' &&
    (rowByRow || readers.some(({ outcome }) => outcome === 'different'))
  )
}

async function failedSchema(
  lake: Lake,
  name: TableName,
  reading: Reading,
  schema: readonly Difference[],
): Promise<Proof> {
  return {
    ...(await headOf(lake, name, reading)),
    passed: false,
    verdict: 'The columns differ.',
    rows: 'not counted',
    columns: [],
    partitions: 0,
    schema,
    readers: [],
    filters: { checked: 0, wrong: [] },
    rowByRow: null,
    history: [],
  }
}

async function headOf({ session }: Lake, table: TableName, { source, version }: Reading) {
  const [row] = await session.query(
    z.object({ id: z.bigint() }),
    `SELECT id FROM ducklake_current_snapshot(${literal(LAKE)})`,
  )
  return {
    source: source.uri,
    version,
    table,
    snapshot: Number(row?.id ?? 0n),
    checkedAt: new Date().toISOString(),
    software: { lakeduel: VERSION, duckdb: duckDbVersion(), ...(await session.extensionVersions()) },
  }
}

function figuresOf(
  found: Fingerprint,
  columns: readonly ComparedColumn[],
): Pick<Proof, 'rows' | 'columns' | 'partitions'> {
  return {
    rows: String(found.rows),
    partitions: found.partitions.size,
    columns: columns.flatMap(({ name, sql }, index) => {
      const column = found.columns[index]
      if (column === undefined) return []
      const { nulls, min, max, distinct, hash } = column
      return [{ name, type: sql, nulls: String(nulls), min, max, distinct, hash: String(hash) }]
    }),
  }
}
