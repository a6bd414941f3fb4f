import pRetry from 'p-retry'
import { z } from 'zod'
import { metadataOf } from './catalog.ts'
import { setOption, TRIES } from './options.ts'
import type { UpsertContext } from './strategy.ts'

const OPTION = 'data_inlining_row_limit'

/**
 * Lets deletes of few rows of a file be kept in the catalog. DuckLake writes delete files one after another, each a round
 * trip to the object store; positions in Postgres are rows of one commit. They are told by the table's option for inlining,
 * which also holds for rows, and those may be megabytes of JSON: so the option is raised for the delete alone, and in this
 * process only. A session keeps an option that it has set when the transaction is rolled back which was to store it.
 *
 * Only where commits carry tags: DuckLake lets an inlined delete and a delete file of one row both commit
 * (duckdb/ducklake#1215), and the tags make one of them fail.
 */
export async function withInlinedDeletes<T>(context: UpsertContext, action: () => Promise<T>): Promise<T> {
  const { inlinedDeleteRows, inliningRowLimit, commitTags } = context.settings
  const stored = (await storedLimit(context)) ?? inliningRowLimit
  if (!commitTags || inlinedDeleteRows <= stored) return action()
  await limitTo(context, inlinedDeleteRows)
  try {
    return await action()
  } finally {
    await limitTo(context, stored)
  }
}

async function storedLimit({ lake, spec }: UpsertContext): Promise<number | null> {
  const metadata = metadataOf(lake)
  const [row] = await lake.aside.query(
    z.object({ value: z.string() }),
    `SELECT stored.value FROM ${metadata}.ducklake_metadata AS stored
     JOIN ${metadata}.ducklake_table AS lake_table ON stored.scope = 'table' AND stored.scope_id = lake_table.table_id
     WHERE stored.key = '${OPTION}' AND lake_table.table_name = $1 AND lake_table.end_snapshot IS NULL`,
    [spec.name],
  )
  return row === undefined ? null : Number(row.value)
}

async function limitTo({ lake, spec }: UpsertContext, rows: number): Promise<void> {
  await pRetry(async () => {
    await lake.aside.transaction(
      () => lake.aside.run(setOption(spec.name, OPTION, String(rows))),
      () => false,
    )
  }, TRIES)
}
