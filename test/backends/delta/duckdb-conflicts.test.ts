import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { z } from 'zod'
import type { StagedBatch } from '../../../backends/backend.ts'
import { connectBackend } from '../../../backends/connect.ts'
import { DuckDbMerger } from '../../../backends/delta/duckdb/merger.ts'
import { settingsFor } from '../../../backends/delta/settings.ts'
import { SidecarProcess } from '../../../backends/delta/sidecar-process.ts'
import { uriOf } from '../../../platform/endpoints.ts'
import { openObjectStore } from '../../../platform/storage/object-store.ts'
import { expectFailure } from '../contract/errors.ts'
import { useLake } from '../contract/lake.ts'
import { optional, required } from '../contract/rows.ts'
import type { TestTable } from '../contract/table.ts'
import { applyThroughConflicts } from '../contract/table.ts'

const COLUMNS = [required('id', 'int64'), required('part', 'string'), optional('note', 'string')]
const row = (id: number, note: string, part = `p${id % 2}`) => ({ id, part, note })
const TAG = { runId: 'slow', batchIndex: 0 }

type Between = (commit: () => Promise<unknown>) => Promise<unknown>
type Request = <T>(verb: string, fields: object, answer: z.ZodType<T>) => Promise<T>

describe.skipIf(inject('services').sidecar === null)(
  'a merge by DuckDB that another writer comes before',
  () => {
    const lake = useLake('delta/duckdb', 's3')
    let sidecar: SidecarProcess
    let merger: DuckDbMerger

    beforeAll(async () => {
      const { environment } = lake()
      const settings = settingsFor('duckdb', environment, {})
      sidecar = await SidecarProcess.start(environment.sidecar?.python ?? '', environment.storage, {})
      if (settings.duckdb === undefined) throw new Error('the strategy has no settings of DuckDB')
      merger = await DuckDbMerger.open(environment, settings, settings.duckdb)
    })
    afterAll(async () => {
      await merger.close()
      await sidecar.close()
    })

    /** Two files in each of two partitions: ids 0 to 7. */
    const create = async (partitionBy: string | null = 'part') => {
      const table = await lake().createTable({ columns: COLUMNS, primaryKey: ['id'], partitionBy })
      await table.append([0, 1, 2, 3].map((id) => row(id, 'stored')))
      await table.append([4, 5, 6, 7].map((id) => row(id, 'stored')))
      return table
    }

    const mergeThrough = (table: TestTable, batch: StagedBatch, request: Request) => {
      const target = { uri: uriOf(lake().environment.storage, table.spec.name), spec: table.spec }
      return merger.apply({ ...target, sidecar: { request } }, [{ batch, tag: TAG }], 'upsert')
    }

    /** Merges, and lets somebody else act when all is written and nothing committed. */
    const mergeAround = (table: TestTable, batch: StagedBatch, between: Between) =>
      mergeThrough(table, batch, async (verb, fields, answer) => {
        if (verb === 'commit_rewrite') await between(() => sidecar.request(verb, fields, z.unknown()))
        return sidecar.request(verb, fields, answer)
      })

    const dataFiles = async (table: TestTable) => {
      await using store = openObjectStore(lake().environment.storage)
      const objects = await store.list(`${table.spec.name}/`)
      return objects.map(({ key }) => key).filter((key) => key.includes('/lakeduel-')).length
    }

    const inBetween: readonly (readonly [what: string, act: (table: TestTable) => Promise<unknown>])[] = [
      ['an upsert of the same new key', (table) => table.upsert([row(100, 'other')])],
      ['an upsert of the same stored keys', (table) => table.upsert([row(2, 'other'), row(4, 'other')])],
      ['an append to its partition', (table) => table.append([row(102, 'appended')])],
      ['a delete of its rows', (table) => table.apply('delete', [row(2, '')])],
      ['an insert into its partition', (table) => table.apply('insert', [row(100, 'other')])],
      ['a replacement of all rows', (table) => table.replace([row(2, 'replaced')])],
      ['a compaction that removes the files that it read', (table) => table.handle.maintain()],
      [
        'a new column',
        async (table) => {
          await table.handle.evolve([...COLUMNS, optional('more', 'int32')])
          table.model.spec = table.handle.spec
        },
      ],
      [
        'a merge by delta-rs',
        async (table) => {
          await using backend = await connectBackend('delta/merge', lake().environment, {})
          await using other = await backend.open(table.spec)
          await other.apply(await table.stage([row(100, 'delta-rs')]), 'upsert', {
            runId: 'other',
            batchIndex: 0,
          })
          table.model.apply('upsert', [row(100, 'delta-rs')])
        },
      ],
    ]

    test.each(inBetween)('conflicts with %s, leaves no file, and is applied again', async (_, act) => {
      const table = await create()
      const changed = [row(2, 'changed'), row(100, 'new')]
      const batch = await table.stage(changed)
      let filesAfterOther = 0
      const lost = mergeAround(table, batch, async () => {
        const written = await dataFiles(table)
        await act(table)
        filesAfterOther = (await dataFiles(table)) - written
      })
      await expectFailure(lost, 'COMMIT_CONFLICT')
      expect(await dataFiles(table)).toBe(filesAfterOther)
      await table.expectStored()

      expect(await table.handle.apply(batch, 'upsert', TAG)).toMatchObject({ alreadyApplied: false })
      table.model.apply('upsert', changed)
      await table.expectStored()
    })

    test('conflicts where the files that it is about to read are gone', async () => {
      const table = await create()
      const batch = await table.stage([row(2, 'changed'), row(100, 'new')])
      const lost = mergeThrough(table, batch, async (verb, fields, answer) => {
        const answered = await sidecar.request(verb, fields, answer)
        if (verb === 'plan_rewrite') await table.handle.maintain()
        return answered
      })
      const error = await expectFailure(lost, 'COMMIT_CONFLICT')
      expect(error.message).toMatch(/version 2 .* is gone/)
      expect(await dataFiles(table)).toBe(0)
      await table.handle.apply(batch, 'upsert', TAG)
      table.model.apply('upsert', [row(2, 'changed'), row(100, 'new')])
      await table.expectStored()
    })

    test('goes through where the others changed other partitions only', async () => {
      const table = await create()
      const changed = [row(2, 'changed'), row(100, 'new')]
      const result = await mergeAround(table, await table.stage(changed), async () => {
        await table.upsert([row(1, 'other'), row(101, 'other')])
        await table.append([row(103, 'appended')])
        await table.apply('delete', [row(3, '')])
      })
      expect(result).toMatchObject({ version: '6', attempts: 1, rowsInserted: 1, rowsUpdated: 1 })
      table.model.apply('upsert', changed)
      await table.expectStored()
    })

    test('conflicts with any change of a table without partitions', async () => {
      const table = await create(null)
      const batch = await table.stage([row(2, 'changed')])
      const lost = mergeAround(table, batch, () => table.append([row(101, 'appended')]))
      await expectFailure(lost, 'COMMIT_CONFLICT')
      await table.handle.apply(batch, 'upsert', TAG)
      table.model.apply('upsert', [row(2, 'changed')])
      await table.expectStored()
    })

    test('conflicts with its own batch, which is then applied already', async () => {
      const table = await create()
      const batch = await table.stage([row(2, 'changed')])
      const late = mergeAround(table, batch, () => table.handle.apply(batch, 'upsert', TAG))
      await expectFailure(late, 'COMMIT_CONFLICT')
      expect(await table.handle.apply(batch, 'upsert', TAG)).toMatchObject({ alreadyApplied: true })
      table.model.apply('upsert', [row(2, 'changed')])
      await table.expectStored()
    })

    test('is committed once when the answer to its commit is lost, and keeps its files', async () => {
      const table = await create()
      const batch = await table.stage([row(2, 'changed'), row(100, 'new')])
      const result = await mergeAround(table, batch, (commit) => commit())
      expect(result).toMatchObject({ version: '3', commits: 1 })
      table.model.apply('upsert', [row(2, 'changed'), row(100, 'new')])
      await table.expectStored()
      expect(await table.handle.describe()).toMatchObject({ version: '3', rows: 9 })
    })

    test('of many writers of the same partitions at once nothing is lost or doubled', async () => {
      const table = await create()
      const writers = [0, 1, 2]
      const handles = await Promise.all(writers.map(async () => (await lake().connect()).open(table.spec)))
      const batches = await Promise.all(
        writers.map((writer) =>
          table.stage([row(200 + writer, 'own'), row(6, 'all'), row(201 + writer, 'next')]),
        ),
      )
      await Promise.all(
        handles.map((handle, writer) =>
          applyThroughConflicts(handle, batches[writer] ?? { parts: [] }, 'upsert', {
            runId: `writer ${writer}`,
            batchIndex: 0,
          }),
        ),
      )
      const stored = await table.stored()
      expect(stored.map(({ id }) => Number(id)).toSorted((left, right) => left - right)).toEqual([
        0, 1, 2, 3, 4, 5, 6, 7, 200, 201, 202, 203,
      ])
      expect(stored.find(({ id }) => id === '6')).toMatchObject({ note: 'all' })
      for (const handle of handles) await handle.close()
    })
  },
)
