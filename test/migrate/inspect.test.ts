import { writeFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { lakeduel, serviceVariables } from '../cli/lakeduel.ts'
import { upload } from './services.ts'
import { fixture, ScratchTable } from './tables.ts'

const DV_TABLE = 'delta-kernel-defaults/basic-dv-with-checkpoint'

test('a table is shown with its version, features, files, deletion vectors and history', async () => {
  const run = await lakeduel(['migrate', 'inspect', fixture(DV_TABLE), '--history', '2'])
  expect(run.exitCode).toBe(0)
  expect(run.stdout).toContain('version 46')
  expect(run.stdout).toMatch(/features +deletionVectors/)
  expect(run.stdout).toMatch(/rows +454/)
  expect(run.stdout).toMatch(/deletion vectors +46 rows of 2 files/)
  expect(run.stdout).toMatch(/checkpoints at 10, 20, 30, 40/)
  expect(run.stdout.match(/DELETE/g)).toHaveLength(2)
})

test('a table on S3 is the same one, as JSON and at an older version', async () => {
  const uri = await upload(fixture(DV_TABLE), 'inspect/')
  const run = await lakeduel(['migrate', 'inspect', uri, '--as-of', '20', '--json'])
  expect(JSON.parse(run.stdout)).toMatchObject({
    version: 20,
    oldestVersion: 0,
    files: { count: 2, rows: 480, withDeletionVector: 1, deletedRows: 20, elsewhere: 0 },
  })
})

test('a table that needs what is not known is shown all the same, with what is in the way', async () => {
  const run = await lakeduel(['migrate', 'inspect', fixture('delta-kernel-defaults/catalog-owned-preview')])
  expect(run.exitCode).toBe(0)
  expect(run.stdout).toContain('is managed by a catalog')
})

test('what is no table, a broken log and wrong keys end with what is wrong', async () => {
  await using table = await ScratchTable.empty()
  const none = await lakeduel(['migrate', 'inspect', table.path])
  expect([none.exitCode, none.stderr]).toEqual([1, expect.stringContaining('There is no Delta table')])
  await writeFile(table.commitFile(0), '{')
  const broken = await lakeduel(['migrate', 'inspect', table.path])
  expect([broken.exitCode, broken.stderr]).toEqual([1, expect.stringContaining('0.json, line 1, can')])
  const env = { ...serviceVariables(), LAKEDUEL_S3_SECRET_ACCESS_KEY: 'wrong-key' }
  const refused = await lakeduel(['migrate', 'inspect', 's3://any-bucket/table'], env)
  expect([refused.exitCode, refused.stderr]).toEqual([4, expect.stringContaining('refuses the credentials')])
  expect(refused.stderr).not.toContain('wrong-key')
  const elsewhere = await lakeduel(['migrate', 'inspect', 'abfss://a@b/c'])
  expect([elsewhere.exitCode, elsewhere.stderr]).toEqual([2, expect.stringContaining('abfss:')])
})
