import { readdir, readFile } from 'node:fs/promises'
import { describe, expect, inject, test } from 'vitest'
import { z } from 'zod'
import { uriOf } from '../../../platform/endpoints.ts'
import { useLake } from '../contract/lake.ts'
import { optional, required } from '../contract/rows.ts'

const OLD = [required('id', 'int64'), optional('note', 'string')]
const NEW = [required('id', 'int64'), optional('part', 'string'), optional('at', 'timestamp')]
const row = (id: number) => ({ id, part: `p ${id % 2}`, at: '2026-11-22 10:00:00' })

const statisticsSchema = z.object({
  numRecords: z.int(),
  minValues: z.object({ id: z.int(), at: z.string() }),
  maxValues: z.object({ id: z.int(), at: z.string() }),
  nullCount: z.object({ id: z.int(), at: z.int() }),
})
const actionSchema = z.object({
  add: z
    .object({
      path: z.string(),
      partitionValues: z.record(z.string(), z.string().nullable()),
      stats: z.string().transform((stats) => statisticsSchema.parse(JSON.parse(stats))),
    })
    .optional(),
  remove: z.object({ path: z.string() }).optional(),
  metaData: z
    .object({ id: z.string(), partitionColumns: z.array(z.string()), schemaString: z.string() })
    .optional(),
  protocol: z.object({ readerFeatures: z.array(z.string()).optional() }).optional(),
  txn: z.object({ appId: z.string(), version: z.int() }).optional(),
})

describe.skipIf(inject('services').sidecar === null)("the log of a swapped table's target", () => {
  const lake = useLake('delta/merge', 'local')
  const actionsOf = async (table: string, version: number) => {
    const file = uriOf(
      lake().environment.storage,
      `${table}/_delta_log/${String(version).padStart(20, '0')}.json`,
    )
    const lines = (await readFile(file, 'utf8')).trim().split('\n')
    return lines.map((line) => actionSchema.parse(JSON.parse(line)))
  }

  test('has one commit that takes over files, statistics, columns, partitioning and features', async () => {
    const target = await lake().createTable({ columns: OLD, primaryKey: ['id'] })
    const { name } = target.spec
    await target.append([{ id: 1, note: 'a' }])
    await target.append([{ id: 2, note: 'b' }])
    const shadow = await lake().createTable({
      columns: NEW,
      primaryKey: ['id'],
      partitionBy: 'part',
      shadowOf: name,
    })
    await shadow.append([1, 2, 3, 4].map(row))
    await shadow.upsert([row(4), row(6)])
    const backend = await lake().backend()
    const before = await actionsOf(name, 0)
    const { version } = await backend.swap(shadow.spec.name, name, { runId: 'r', batchIndex: 7 })

    expect(version).toBe('3')
    const actions = await actionsOf(name, 3)
    const added = actions.flatMap(({ add }) => (add === undefined ? [] : [add]))
    expect(actions.filter(({ remove }) => remove !== undefined)).toHaveLength(2)
    expect(new Set(added.map(({ partitionValues }) => partitionValues['part']))).toEqual(
      new Set(['p 0', 'p 1']),
    )
    const ranges = added.map(
      ({ stats }) => `${stats.numRecords}: ${stats.minValues.id}-${stats.maxValues.id}`,
    )
    expect(new Set(ranges)).toEqual(new Set(['2: 1-3', '3: 2-6']))
    for (const { path, stats } of added) {
      expect(path).toMatch(new RegExp(`^shadow-${shadow.spec.name}/part=`))
      expect(stats).toMatchObject({
        minValues: { at: expect.stringMatching(/^2026-11-22.10:00:00/) },
        nullCount: { id: 0, at: 0 },
      })
    }
    const metadata = actions.flatMap(({ metaData }) => metaData ?? [])
    expect(metadata).toMatchObject([
      { id: before.flatMap(({ metaData }) => metaData ?? [])[0]?.id, partitionColumns: ['part'] },
    ])
    expect(metadata[0]?.schemaString).toContain('timestamp_ntz')
    expect(actions.flatMap(({ protocol }) => protocol?.readerFeatures ?? [])).toEqual(['timestampNtz'])
    expect(actions.flatMap(({ txn }) => txn ?? [])).toEqual([{ appId: 'lakeduel:r', version: 7 }])

    const left = await readdir(uriOf(lake().environment.storage, `${name}/shadow-${shadow.spec.name}`), {
      recursive: true,
    })
    const files = left.filter((path) => path.endsWith('.parquet'))
    expect(files).toHaveLength(2)
    expect(left.filter((path) => path.includes('_delta_log'))).toEqual([])
    await using swapped = await backend.open({ ...shadow.spec, name })
    expect(await swapped.describe()).toMatchObject({ rows: 5, dataFiles: 2 })
  })
})
