import { afterAll, describe, expect, test } from 'vitest'
import { type Arm, formatOf } from '../../../backends/backend.ts'
import { openReader, relationOf } from '../../../backends/reader.ts'
import { withPostgres } from '../../../platform/services/postgres/client.ts'
import { openObjectStore } from '../../../platform/storage/object-store.ts'
import { checkContent } from '../../../scenarios/oracle/check.ts'
import { contentHash, contentOf, contentsOfKeys } from '../../../scenarios/oracle/content.ts'
import { orphanFiles } from '../../../scenarios/oracle/orphans.ts'
import type { Expectation } from '../../../scenarios/processes/protocol.ts'
import { TestLake } from '../../backends/contract/lake.ts'
import type { TestTable } from '../../backends/contract/table.ts'

const KEYS = [7, 42, 1_000]
const ROWS = Array.from({ length: 50 }, (_, id) => ({ id: String(id), text: `text ${id}` }))

const lakes: TestLake[] = []
afterAll(async () => {
  for (const lake of lakes) await lake[Symbol.asyncDispose]()
})

/** A table of fifty rows in a lake of its own, since orphans are looked for in a whole lake. */
async function planted(arm: Arm) {
  const lake = await TestLake.create(arm, 's3')
  lakes.push(lake)
  const table = await lake.createTable({
    columns: [
      { name: 'id', type: { kind: 'int64' }, nullable: false },
      { name: 'text', type: { kind: 'string' }, nullable: true },
    ],
    primaryKey: ['id'],
  })
  await table.append(ROWS)
  return { lake, table }
}

/** What the oracle finds in a table as it is now, against what it should hold. */
async function findings(lake: TestLake, table: TestTable, expectation: Expectation) {
  await using session = await openReader(formatOf(lake.arm), lake.environment)
  const relation = relationOf(formatOf(lake.arm), lake.environment, table.spec.name)
  return (await checkContent(session, table.spec, relation, expectation)).findings.map(({ check }) => check)
}

async function rightful(lake: TestLake, table: TestTable): Promise<Expectation> {
  await using session = await openReader(formatOf(lake.arm), lake.environment)
  const relation = relationOf(formatOf(lake.arm), lake.environment, table.spec.name)
  const content = await contentOf(session, table.spec, relation)
  const found = await contentsOfKeys(session, table.spec, relation, KEYS)
  return {
    rows: content.rows,
    distinctKeys: content.distinctKeys,
    contentHash: contentHash(content),
    probes: found.map((row, index) => ({
      key: KEYS[index] ?? 0,
      rowHash: row.rows === 0 ? null : contentHash(row),
    })),
  }
}

describe.each(['ducklake/merge', 'delta/merge'] as const)('in a real table of %s the oracle', (arm) => {
  test('finds a row that was lost, one that was doubled, and a value that is wrong', async () => {
    const { lake, table } = await planted(arm)
    const expectation = await rightful(lake, table)
    expect(await findings(lake, table, expectation)).toEqual([])
    await table.append([{ id: '42', text: 'text 42' }])
    expect(await findings(lake, table, expectation)).toContain('rows of a full scan')
    await table.replace(ROWS.filter(({ id }) => id !== '42'))
    expect(await findings(lake, table, expectation)).toContain('key 42 by filter')
    await table.replace(ROWS.map((row) => (row.id === '7' ? { ...row, text: 'text 8' } : row)))
    expect(await findings(lake, table, expectation)).toEqual([
      'content hash of a full scan',
      'key 7 by filter',
    ])
  })

  test('finds a file that nothing names, and takes none for one that something does', async () => {
    const { lake, table } = await planted(arm)
    await table.upsert([{ id: '7', text: 'changed' }])
    expect(await orphanFiles(formatOf(arm), lake.environment)).toEqual([])
    await using store = openObjectStore(lake.environment.storage)
    const data = (await store.list('')).find(
      ({ key }) => key.endsWith('.parquet') && !key.includes('_delta_log/'),
    )
    const orphan = `${data?.key.slice(0, data.key.lastIndexOf('/'))}/left-by-a-broken-commit.parquet`
    await store.copy(data?.key ?? '', orphan)
    expect(await orphanFiles(formatOf(arm), lake.environment)).toEqual([orphan])
  })
})

test('a statistic that hides rows is found by a filter, though a full scan finds every row', async () => {
  const { lake, table } = await planted('ducklake/merge')
  const expectation = await rightful(lake, table)
  const { postgres, schema } = lake.environment.catalog
  await withPostgres(postgres, (client) =>
    client.query(
      `UPDATE ${client.escapeIdentifier(schema)}.ducklake_file_column_stats SET min_value = '45' WHERE min_value = '0'`,
    ),
  )
  const found = await findings(lake, table, expectation)
  expect(found).toContain('key 7 by filter')
  expect(found).not.toContain('rows of a full scan')
})
