import { existsSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { readManifest } from '../../cli/migrate/manifest.ts'
import { lakeduel } from '../cli/lakeduel.ts'
import { deltaScan, LakeRoom, main } from './lakes.ts'
import { fixture } from './tables.ts'

let room: LakeRoom
beforeAll(async () => {
  room = await LakeRoom.open()
})
afterAll(() => room[Symbol.asyncDispose]())

async function manifest(content: unknown): Promise<string> {
  const path = join(room.folder, 'tables.json')
  await writeFile(path, typeof content === 'string' ? content : JSON.stringify(content))
  return path
}

test('a file of tables moves each as it says, and one that fails keeps no other from being moved', async () => {
  const location = room.schema()
  const dataPath = join(room.folder, 'many')
  const report = join(room.folder, 'proofs')
  const file = await manifest({
    to: 'ducklake:postgres:',
    dataPath,
    metadataSchema: location.schema,
    tables: [
      { uri: fixture('dat/basic_append/delta'), table: 'plain' },
      { uri: fixture('delta-rs/with_checkpoint_no_last_checkpoint'), table: 'broken' },
      { uri: fixture('dat/basic_partitioned/delta'), table: 'old', mode: 'rewrite', asOf: 0 },
    ],
  })
  const args = ['migrate', 'run', '--file', file, '--parallel', '2', '--report', report, '--json']
  const { exitCode, stdout, stderr } = await lakeduel(args)
  expect(JSON.parse(stdout)).toMatchObject({
    tables: [
      { table: 'plain', outcome: 'published', version: 1, proof: { passed: true } },
      { table: 'broken', outcome: 'failed', code: 'MIGRATION_REFUSED' },
      { table: 'old', outcome: 'published', version: 0, actions: { rewrite: { files: 3 } } },
    ],
  })
  expect([exitCode, stderr]).toEqual([1, expect.stringContaining('is missing')])
  expect(['main.plain', 'main.old'].map((name) => existsSync(join(report, name, 'proof.html')))).toEqual([
    true,
    true,
  ])
  await using lake = await room.openLake(location, dataPath)
  await room.expectSame(lake, main('plain'), deltaScan(fixture('dat/basic_append/delta')))
  await room.expectSame(lake, main('old'), deltaScan(fixture('dat/basic_partitioned/delta'), 0))
})

describe('a file of tables is refused', () => {
  test.each([
    ['that is no JSON', '{', /can't be taken/],
    ['without tables', { tables: [] }, /tables/],
    ['with a key that is unknown', { tables: [{ uri: 'a', table: 't', versoin: 1 }] }, /versoin/],
    [
      'that gives two tables one name',
      {
        tables: [
          { uri: 'a', table: 't' },
          { uri: 'b', table: 'T' },
        ],
      },
      /two tables/,
    ],
  ])('%s', async (_, content, message) => {
    await expect(readManifest(await manifest(content))).rejects.toThrow(message)
  })

  test('when the command line says what it says of each table', async () => {
    const file = await manifest({ to: 'ducklake:x', tables: [{ uri: 'a', table: 't' }] })
    const { exitCode, stderr } = await lakeduel(['migrate', 'run', '--file', file, '--as-of', '3'])
    expect([exitCode, stderr]).toEqual([2, expect.stringContaining('--as-of is of one table')])
  })
})
