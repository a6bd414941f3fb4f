import { z } from 'zod'
import type { JsonValue, ReadRequest } from '../sources/source.ts'
import type { Run } from '../state/model.ts'
import type { State } from '../state/store.ts'
import type { StoredTable } from '../state/stored-tables.ts'

/**
 * Where an extractor goes on, as it is kept with the last batch of a run: after the last page that is whole in a batch,
 * and so many rows into the next one, which was too large for one batch.
 */
export type ResumePoint = {
  readonly cursor: JsonValue
  readonly skipRows: number
  /** Pages of the run up to the cursor. */
  readonly pages: number
  /** The lake's names of columns that are called otherwise at the source. */
  readonly names: readonly (readonly [string, string])[]
  /** Where the parents of a nested table come from, which a read must keep to its end; null for other tables. */
  readonly parents: 'stored' | 'source' | null
}

const namesSchema = z.array(z.tuple([z.string(), z.string()]))
const resumePointSchema: z.ZodType<ResumePoint> = z.strictObject({
  cursor: z.json(),
  skipRows: z.int().nonnegative(),
  pages: z.int().nonnegative(),
  names: namesSchema,
  parents: z.enum(['stored', 'source']).nullable(),
})

const START: ResumePoint = { cursor: null, skipRows: 0, pages: 0, names: [], parents: null }

/** @param stored a run's resume cursor, null for a run without a batch */
export function resumePointOf(stored: JsonValue): ResumePoint {
  return stored === null ? START : resumePointSchema.parse(stored)
}

/** What the next run of a table has to know: where it reads on, and under which names. */
export type TableMark = {
  readonly mark: JsonValue
  readonly names: ResumePoint['names']
}

const tableMarkSchema: z.ZodType<TableMark> = z.strictObject({ mark: z.json(), names: namesSchema })

/** @param stored a table's high-water mark, null for a table without a run */
export function tableMarkOf(stored: JsonValue): TableMark {
  return stored === null ? { mark: null, names: [] } : tableMarkSchema.parse(stored)
}

/** What the runs before this one left of its table; null for the first, and for a full refresh, which starts from nothing. */
export async function storedBefore({ spec }: Run, { runs }: State): Promise<StoredTable | null> {
  return spec.mode === 'full-refresh' ? null : runs.storedTable(spec.destination)
}

/** How a run asks its source for what is new: every page of it, from the mark of the runs before it. */
export function incrementalOf({ spec }: Run, stored: StoredTable | null): ReadRequest['incremental'] {
  if (spec.incrementalField === null) return null
  return { field: spec.incrementalField, since: tableMarkOf(stored?.mark ?? null).mark }
}

/** The names that a later process could not find out by itself: a column called as its lake column keeps its name anyway. */
export function namesToKeep(names: ReadonlyMap<string, string>): ResumePoint['names'] {
  return [...names].filter(([source, lake]) => source !== lake)
}
