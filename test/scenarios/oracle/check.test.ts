import { describe, expect, test } from 'vitest'
import type { TableSpec } from '../../../backends/schema.ts'
import type { DuckDbSession } from '../../../platform/duckdb/session.ts'
import { checkContent } from '../../../scenarios/oracle/check.ts'
import { contentHash, contentOf, contentsOfKeys } from '../../../scenarios/oracle/content.ts'
import type { Expectation } from '../../../scenarios/processes/protocol.ts'
import { plainSession } from '../session.ts'

const TABLE: TableSpec = {
  name: 'things',
  columns: [
    { name: 'id', type: { kind: 'int64' }, nullable: false },
    { name: 'text', type: { kind: 'string' }, nullable: true },
  ],
  primaryKey: ['id'],
  partitionBy: null,
}

async function expectationOf(session: DuckDbSession): Promise<Expectation> {
  const content = await contentOf(session, TABLE, 'truth')
  const keys = [7, 1_000]
  const found = await contentsOfKeys(session, TABLE, 'truth', keys)
  const probes = found.map((row, index) => ({
    key: keys[index] ?? 0,
    rowHash: row.rows === 0 ? null : contentHash(row),
  }))
  return {
    rows: content.rows,
    distinctKeys: content.distinctKeys,
    contentHash: contentHash(content),
    probes,
  }
}

async function findingsAfter(fault: string): Promise<readonly string[]> {
  await using session = await plainSession()
  await session.run(
    `CREATE TABLE truth AS SELECT i AS id, CASE WHEN i % 5 > 0 THEN 'text ' || i END AS text FROM range(100) t(i)`,
  )
  await session.run('CREATE TABLE copy AS FROM truth ORDER BY hash(id)')
  if (fault !== '') await session.run(fault)
  const { findings } = await checkContent(session, TABLE, 'copy', await expectationOf(session))
  return findings.map(({ check }) => check)
}

describe('the oracle', () => {
  test('finds nothing in a right table, whatever the order of its rows', async () => {
    expect(await findingsAfter('')).toEqual([])
  })

  test('finds a lost row', async () => {
    expect(await findingsAfter('DELETE FROM copy WHERE id = 42')).toContain('rows of a full scan')
  })

  test('finds a doubled row', async () => {
    const findings = await findingsAfter('INSERT INTO copy FROM copy WHERE id = 42')
    expect(findings).toContain('rows of a full scan')
    expect(findings).not.toContain('distinct keys of a full scan')
  })

  test('finds a lost row beside a doubled one, although the count is right', async () => {
    const findings = await findingsAfter(
      'UPDATE copy SET id = 41, text = (SELECT text FROM truth WHERE id = 41) WHERE id = 42',
    )
    expect(findings).toEqual(['distinct keys of a full scan', 'content hash of a full scan'])
  })

  test('finds a wrong value', async () => {
    expect(await findingsAfter(`UPDATE copy SET text = 'text 8' WHERE id = 9`)).toEqual([
      'content hash of a full scan',
    ])
  })

  test('finds a NULL that became an empty text', async () => {
    expect(await findingsAfter(`UPDATE copy SET text = '' WHERE id = 10`)).toEqual([
      'content hash of a full scan',
    ])
  })

  test('finds two rows that swapped their values', async () => {
    const swap = `UPDATE copy SET text = CASE id WHEN 11 THEN 'text 12' ELSE 'text 11' END WHERE id IN (11, 12)`
    expect(await findingsAfter(swap)).toEqual(['content hash of a full scan'])
  })

  test('finds a row under a key that must not exist', async () => {
    expect(await findingsAfter(`UPDATE copy SET id = 1000 WHERE id = 3`)).toContain('key 1000 by filter')
  })
})
