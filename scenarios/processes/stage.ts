import { z } from 'zod'
import type { BackendEnvironment, StagedBatch, StagedPart } from '../../backends/backend.ts'
import { openSession } from '../../backends/reader.ts'
import type { TableSpec } from '../../backends/schema.ts'
import type { DuckDbSession } from '../../platform/duckdb/session.ts'
import { literal } from '../../platform/duckdb/sql.ts'
import { uriOf } from '../../platform/endpoints.ts'
import { payloadWidth } from '../data/payload.ts'
import type { Content } from '../oracle/content.ts'
import { contentHash, contentOf, NO_ROWS, union } from '../oracle/content.ts'
import type { BatchPlan, PartPlan, Probe, Slice } from '../scenario.ts'
import type { Expectation, StageRequest } from './protocol.ts'
import { stageRequestSchema } from './protocol.ts'
import type { Channel } from './serve.ts'
import { serve } from './serve.ts'

/** The process that generates data: it stages the batches as Parquet and computes what a table must hold after them. */
export function serveStage(): Promise<void> {
  return serve(stageRequestSchema, async (request, channel) => {
    await using session = await openSession(request.environment, [])
    // Row groups are bounded by bytes only with this off; the order of rows doesn't matter, since no key occurs twice.
    await session.set('preserve_insertion_order', false)
    const progress = progressOf(request, channel)
    const sets: StagedBatch[][] = []
    for (const set of request.sets) {
      const staged: StagedBatch[] = []
      for (const [index, batch] of set.batches.entries()) {
        staged.push(
          await stageBatch(session, request, `${set.path}batch-${String(index).padStart(5, '0')}/`, batch),
        )
        await progress()
      }
      sets.push(staged)
    }
    const expectation = await expectationOf(session, request.table, request.expected, request.probes)
    await channel.emit({ event: 'done', sets, expectation })
    await channel.waitFor('exit')
  })
}

function progressOf(request: StageRequest, channel: Channel): () => Promise<void> {
  const total = request.sets.reduce((sum, set) => sum + set.batches.length, 0)
  let done = 0
  return () => {
    done += 1
    return channel.emit({ event: 'progress', done, total })
  }
}

async function stageBatch(
  session: DuckDbSession,
  request: { readonly environment: BackendEnvironment; readonly table: TableSpec },
  path: string,
  batch: BatchPlan,
): Promise<StagedBatch> {
  const parts: StagedPart[] = []
  for (const [index, part] of batch.entries()) {
    const uri = uriOf(request.environment.storage, `${path}part-${String(index).padStart(4, '0')}.parquet`)
    parts.push(await stagePart(session, request.table, uri, part))
  }
  return { parts }
}

const sizesSchema = z.object({ bytes: z.bigint(), payload: z.bigint() })

/** Each slice becomes a row group of its own where it is wide, since a chunk never spans two branches of a UNION ALL. */
async function stagePart(
  session: DuckDbSession,
  table: TableSpec,
  uri: string,
  part: PartPlan,
): Promise<StagedPart> {
  const rows = part.reduce((sum, slice) => sum + slice.rows, 0)
  await session.run(
    `COPY (${part.map((slice) => slice.sql).join(' UNION ALL ')}) TO ${literal(uri)}
      (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE_BYTES '16MiB')`,
  )
  const [sizes] = await session.query(
    sizesSchema,
    `SELECT (SELECT file_size_bytes::BIGINT FROM parquet_file_metadata(${literal(uri)})) AS bytes,
      CAST(sum(${payloadWidth(table.columns)}) AS BIGINT) AS payload FROM read_parquet(${literal(uri)})`,
  )
  return { uri, rows, bytes: Number(sizes?.bytes ?? 0), payloadBytes: Number(sizes?.payload ?? 0) }
}

async function expectationOf(
  session: DuckDbSession,
  table: TableSpec,
  expected: readonly Slice[],
  probes: readonly Probe[],
): Promise<Expectation> {
  let content: Content = NO_ROWS
  for (const slice of expected) content = union(content, await contentOf(session, table, `(${slice.sql})`))
  const rowHashes: Expectation['probes'] = []
  for (const { key, row } of probes) {
    const rowHash = row === null ? null : contentHash(await contentOf(session, table, `(${row.sql})`))
    rowHashes.push({ key, rowHash })
  }
  return {
    rows: content.rows,
    distinctKeys: content.distinctKeys,
    contentHash: contentHash(content),
    probes: rowHashes,
  }
}
