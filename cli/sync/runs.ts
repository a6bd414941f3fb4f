import { closest } from 'fastest-levenshtein'
import { type PlanContext, planRun } from '../../pipeline/plan.ts'
import type { Source, SourceTable } from '../../pipeline/sources/source.ts'
import type { Run, RunSpec } from '../../pipeline/state/model.ts'
import type { State } from '../../pipeline/state/store.ts'
import { LakeduelError } from '../../platform/errors.ts'
import type { SyncPlan } from './plan.ts'

/** A table of a plan, checked. */
export interface PlannedTable {
  readonly spec: RunSpec
  /** The table of the source that this one takes its parents from, or null. */
  readonly parent: string | null
  readonly estimatedRows: number | null
}

/**
 * All tables of a plan, all of them checked before any is begun; parents come before what is nested in them.
 * @throws LakeduelError `CONFIG_INVALID`, and what the source throws
 */
export async function plannedTables(
  plan: SyncPlan,
  source: Source,
  storedConfig: PlanContext['source']['config'],
): Promise<readonly PlannedTable[]> {
  await source.checkCredentials()
  const tables = new Map((await source.discover()).map((table) => [table.name, table]))
  const wanted = plan.tables.length > 0 ? plan.tables : [...tables.keys()].map((table) => ({ table }))
  const context: PlanContext = {
    source: { name: plan.source.name, config: storedConfig },
    destination: { arm: plan.to, lake: plan.lake, settings: { ...plan.settings } },
    compaction: plan.compaction,
  }
  const planned = wanted.map((request): PlannedTable => {
    const {
      columnTypes = {},
      nested = 'json',
      triggers = [],
      ...choices
    } = { ...plan.everyTable, ...request }
    const partition = choices.partition === 'auto' ? undefined : choices.partition
    const asked = { ...choices, columnTypes, nested, triggers, partition: partition ?? null }
    const table = tableNamed(request.table, tables)
    const { parent, estimatedRows } = table
    return { spec: planRun(asked, table, context), parent: parent?.table ?? null, estimatedRows }
  })
  assertDistinct(planned.map(({ spec }) => spec))
  return planned.toSorted((one, other) => Number(one.parent !== null) - Number(other.parent !== null))
}

function tableNamed(name: string, tables: ReadonlyMap<string, SourceTable>): SourceTable {
  const table = tables.get(name)
  if (table !== undefined) return table
  const known = [...tables.keys()]
  const near = known.length === 0 ? 'It has no tables.' : `Did you mean "${closest(name, known)}"?`
  throw new LakeduelError('CONFIG_INVALID', `The source has no table "${name}".`, {
    facts: { table: name, tables: known.slice(0, 100) },
    remedy: `${near} Its tables are shown by \`lakeduel source test\`.`,
  })
}

function assertDistinct(specs: readonly RunSpec[]): void {
  const seen = new Map<string, string>()
  for (const { source, destination } of specs) {
    const other = seen.get(destination.table)
    if (other !== undefined) {
      throw new LakeduelError(
        'CONFIG_INVALID',
        `Both ${other} and ${source.table} would go to the table ${destination.table}.`,
        { facts: { table: destination.table }, remedy: 'Give one of them another name with `as`.' },
      )
    }
    seen.set(destination.table, source.table)
  }
}

export interface BegunTable extends PlannedTable {
  readonly run: Run
  readonly resumed: boolean
}

/** Begins or takes up the run of each table. */
export async function beginRuns(
  state: State,
  planned: readonly PlannedTable[],
): Promise<readonly BegunTable[]> {
  const begun: BegunTable[] = []
  for (const table of planned)
    begun.push({ ...table, ...(await state.runs.begin(table.spec, { resume: true })) })
  return begun
}
