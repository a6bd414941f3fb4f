import type { ApplyMode, TaggedBatch } from '../../../backends/backend.ts'
import type { Coordination } from '../../../pipeline/coordination/coordinator.ts'
import { uriOf } from '../../../platform/endpoints.ts'
import type { TestLake } from '../../backends/contract/lake.ts'
import type { Row } from '../../backends/contract/rows.ts'
import { optional, required } from '../../backends/contract/rows.ts'
import type { TestTable } from '../../backends/contract/table.ts'
import type { WriterRequest } from './writers.ts'

const COLUMNS = [required('id', 'int64'), required('part', 'string'), optional('note', 'string')]

/** A table, and what each of its writers brings to it. */
export interface Scene {
  readonly table: TestTable
  readonly requests: readonly WriterRequest[]
}

export interface SceneOptions {
  readonly writers: number
  readonly batches: number
  readonly mode: ApplyMode
  readonly coordination: Coordination
  readonly staleMs?: number
}

/**
 * A table with some rows, and writers that each bring changes of the rows of their own partition and new ones. In an upsert
 * all of them also bring the same new keys, in the partition `all`: one of each is to be there in the end.
 */
export async function sceneOf(lake: TestLake, options: SceneOptions): Promise<Scene> {
  const { writers, batches, mode, coordination, staleMs = 10_000 } = options
  const table = await lake.createTable({ columns: COLUMNS, primaryKey: ['id'], partitionBy: 'part' })
  const numbers = Array.from({ length: writers }, (_, writer) => writer)
  await table.append(numbers.flatMap((writer) => [0, 1, 2].map((id) => row(writer, id, 'stored'))))
  const requests: WriterRequest[] = []
  for (const writer of numbers) {
    const tagged: TaggedBatch[] = []
    for (let index = 0; index < batches; index += 1) {
      const rows = rowsOf(writer, index, mode)
      tagged.push({ batch: await table.stage(rows), tag: { runId: `writer ${writer}`, batchIndex: index } })
      table.model.apply(mode, rows)
    }
    const partitions = [`p${writer}`, ...(mode === 'upsert' ? ['all'] : [])]
    const { arm, environment } = lake
    const uri = uriOf(environment.storage, table.spec.name)
    requests.push({
      arm,
      environment: { ...environment, threads: 1 },
      spec: { ...table.spec, columns: [...table.spec.columns], primaryKey: [...table.spec.primaryKey] },
      uri,
      coordination,
      staleMs,
      batches: tagged,
      mode,
      partitions,
    })
  }
  return { table, requests }
}

const row = (writer: number, id: number, note: string): Row => ({
  id: 1_000 * writer + id,
  part: `p${writer}`,
  note,
})

function rowsOf(writer: number, index: number, mode: ApplyMode): readonly Row[] {
  if (mode === 'append') return [0, 1].map((id) => row(writer, 10 + 2 * index + id, `batch ${index}`))
  const own = [1, 10 + index].map((id) => row(writer, id, `batch ${index}`))
  return [...own, { id: 1_000_000 + index, part: 'all', note: 'the same of all' }]
}
