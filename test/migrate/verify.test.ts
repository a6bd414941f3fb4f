import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import type { Lake } from '../../migrate/lake/lake.ts'
import { sqlName } from '../../migrate/lake/table-name.ts'
import { DeltaLog } from '../../migrate/log/log.ts'
import { readSnapshot } from '../../migrate/log/snapshot.ts'
import { planColumns } from '../../migrate/plan/columns.ts'
import { parseLocation } from '../../migrate/source/location.ts'
import { openSource } from '../../migrate/source/open.ts'
import { verifyTable } from '../../migrate/verify/verify.ts'
import { lakeduel } from '../cli/lakeduel.ts'
import { LakeRoom, main } from './lakes.ts'
import { fixture, ScratchTable } from './tables.ts'

let room: LakeRoom
beforeAll(async () => {
  room = await LakeRoom.open()
})
afterAll(() => room[Symbol.asyncDispose]())

async function prove(lake: Lake, uri: string, rowByRow = false) {
  const access = { ...room.access(), python: inject('services').sidecar?.python ?? '' }
  await using source = await openSource(parseLocation(uri), access)
  const snapshot = await readSnapshot(await DeltaLog.open(source), null)
  const expected = { snapshot, columns: planColumns(snapshot.table).columns }
  return await verifyTable(access, source, lake, main('t'), expected, { rowByRow, anyColumnOrder: false })
}

describe('a table is proved', () => {
  test.each([
    ['dat/partitioned_with_null/delta', ['same', 'same']],
    ['dat/nested_types/delta', ['same', 'same']],
    ['delta-kernel-defaults/basic-dv-with-checkpoint', ['same', 'same']],
    ['dat/iceberg_compat_v1/delta', ['could not read', 'same']],
  ])('%s: %j', async (name, outcomes) => {
    await using lake = await room.openLake(room.location('sqlite'))
    await room.move(lake, fixture(name), main('t'))
    const proof = await prove(lake, fixture(name))
    expect(proof.readers.map(({ outcome }) => outcome)).toEqual(outcomes)
    expect(proof).toMatchObject({ passed: true, schema: [], filters: { wrong: [] } })
  })
})

const TABLE = 'dat/basic_partitioned/delta'

describe('a proof finds', () => {
  test.each([
    ['a row that is missing', `DELETE FROM @ WHERE letter = 'a' AND number = 1`, 'rows'],
    ['a row too many', `INSERT INTO @ SELECT * FROM @ WHERE number = 1`, 'rows'],
    [
      'a value that is another',
      `UPDATE @ SET a_float = a_float + 1 WHERE number = 1`,
      'column "a_float": content',
    ],
    ['a value that is NULL', `UPDATE @ SET a_float = NULL WHERE number = 1`, 'column "a_float": NULLs'],
    ['a row in another partition', `UPDATE @ SET letter = 'z' WHERE number = 1`, 'rows of partition ["z"]'],
  ])('%s', async (_, change, subject) => {
    await using lake = await room.openLake(room.location('sqlite'))
    await room.move(lake, fixture(TABLE), main('t'))
    await lake.session.run(change.replaceAll('@', sqlName(main('t'))))
    const proof = await prove(lake, fixture(TABLE))
    expect(proof.passed).toBe(false)
    for (const { outcome, differences } of proof.readers) {
      expect(outcome).toBe('different')
      expect(differences.map((difference) => difference.subject)).toContain(subject)
    }
    const { examplesInLake = [], examplesInDelta = [] } = proof.rowByRow ?? {}
    expect([...examplesInLake, ...examplesInDelta].join()).toContain('"number":1')
  })

  test('two values that changed their places, though each column is as it was', async () => {
    await using lake = await room.openLake(room.location('sqlite'))
    await room.move(lake, fixture(TABLE), main('t'))
    await lake.session.run(`UPDATE ${sqlName(main('t'))} SET number = 3 - number WHERE number IN (1, 2)`)
    const proof = await prove(lake, fixture(TABLE))
    expect(proof.readers[0]?.differences.map(({ subject }) => subject)).toEqual(['content of all rows'])
    expect(proof.rowByRow).toMatchObject({ onlyInLake: 2, onlyInDelta: 2 })
  })

  test('bounds in the catalog that hide rows from filters', async () => {
    await using lake = await room.openLake(room.location('sqlite'))
    await room.move(lake, fixture('dat/basic_append/delta'), main('t'))
    await lake.session.run(
      `UPDATE ${lake.metadata}.ducklake_file_column_stats SET max_value = min_value WHERE max_value IS NOT NULL`,
    )
    await using reader = await room.openLake(lake.location)
    const proof = await prove(reader, fixture('dat/basic_append/delta'))
    expect(proof.readers.map(({ outcome }) => outcome)).toEqual(['same', 'same'])
    expect(proof.passed).toBe(false)
    expect(proof.filters.wrong.length).toBeGreaterThan(0)
  })

  test('a column of another type', async () => {
    await using lake = await room.openLake(room.location('sqlite'))
    await room.move(lake, fixture(TABLE), main('t'))
    await lake.session.run(`ALTER TABLE ${sqlName(main('t'))} RENAME COLUMN number TO "Number"`)
    expect(await prove(lake, fixture(TABLE))).toMatchObject({
      passed: false,
      schema: [{ delta: 'number BIGINT', lake: 'Number BIGINT' }],
    })
  })
})

test('the command writes a proof as JSON, Markdown and HTML, and fails for a table that was changed', async () => {
  await using table = await ScratchTable.copyOf(TABLE)
  const catalog = join(room.folder, 'proof.sqlite')
  const lakeArgs = ['--to', `ducklake:sqlite:${catalog}`, '--table', 't']
  const report = join(room.folder, 'proof')
  const dataPath = join(room.folder, 'proof-data')
  const run = await lakeduel(
    ['migrate', 'run', table.path, ...lakeArgs].concat('--data-path', dataPath, '--report', report),
  )
  expect([run.exitCode, run.stdout]).toEqual([
    0,
    expect.stringContaining('Proved: The table has exactly the rows'),
  ])
  const proof = JSON.parse(await readFile(join(report, 'proof.json'), 'utf8'))
  expect(proof).toMatchObject({ passed: true, rows: '6', version: 1 })
  for (const name of ['proof.md', 'proof.html']) {
    expect(await readFile(join(report, name), 'utf8')).toMatch(/[0-9a-f]{64}/)
  }
  await using lake = await room.openLake({ kind: 'sqlite', path: catalog }, dataPath)
  await lake.session.run('DELETE FROM lake.t WHERE number = 1')
  const again = await lakeduel(['migrate', 'verify', ...lakeArgs, '--json'])
  expect(again.exitCode).toBe(1)
  expect(JSON.parse(again.stdout)).toMatchObject({ passed: false })
})
