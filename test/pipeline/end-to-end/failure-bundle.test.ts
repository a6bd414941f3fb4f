import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { readBundle } from '../../../pipeline/sources/failure-bundle/bundle.ts'
import { TestLake } from './lake.ts'
import { outcomeOf } from './outcome.ts'

const TABLE = { name: 'orders', rows: 400, pageRows: 100, columns: ['int64'] }
test('an incremental read that failed is replayed from the mark of the run before it', async () => {
  await using lake = await TestLake.open()
  const flags = ['--table', 'orders', '--to', 'ducklake/delete-insert', '--mode', 'incremental', '--json']
  const first = await lake.run(['sync', ...(await lake.source('synthetic', { tables: [TABLE] })), ...flags])
  expect(first.exitCode, first.stderr).toBe(0)
  const failures = [{ page: 1, class: 'system', times: 99 }]
  const changed = { ...TABLE, revisions: 1 }
  const failing = await lake.source('synthetic', { tables: [{ ...changed, failures }] })
  const second = await lake.run(['sync', ...failing, ...flags])
  const failure = outcomeOf(second).tables[0]?.failure
  const bundle = failure?.bundle ?? ''
  try {
    expect(failure?.class).toBe('system')
    const { read } = await readBundle(bundle)
    expect(read.incremental).toEqual({
      field: 'updated_at',
      since: { is: 'shown', value: expect.stringMatching(/^\d{4}-\d\d-\d\dT/) },
    })
    const mended = join(lake.folder, 'mended.json')
    await writeFile(mended, JSON.stringify({ tables: [{ ...changed, pageRows: 1_000 }] }))
    const replayed = await lake.run(['source', 'replay', bundle, '--config', mended, '--json'])
    const { page } = z.object({ page: z.object({ rows: z.int() }) }).parse(JSON.parse(replayed.stdout))
    // A tenth of the rows changed, and the last one of the run before comes again; without the mark it were all rows.
    expect(page.rows).toBeGreaterThan(0)
    expect(page.rows).toBeLessThan(100)
  } finally {
    await rm(bundle, { recursive: true })
  }
}, 60_000)
