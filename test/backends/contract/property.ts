import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { TestLake } from './lake.ts'
import { optional, required } from './rows.ts'
import type { TestTable } from './table.ts'

const COLUMNS = [
  optional('tenant', 'string'),
  required('id', 'int32'),
  optional('note', 'string'),
  optional('amount', 'float64'),
]

const rowArbitrary = fc.record({
  tenant: fc.constantFrom('a', "b'/ c", null),
  id: fc.integer({ min: 0, max: 8 }),
  note: fc.option(
    fc.string({ maxLength: 6, unit: fc.constantFrom('a', 'b', "'", '"', '\\', ' ', '%', '\n', '漢', '😀') }),
    { nil: null },
  ),
  amount: fc.option(
    fc.integer({ min: -9, max: 9 }).map((n) => n / 4),
    { nil: null },
  ),
})
const partsArbitrary = fc.array(fc.array(rowArbitrary, { maxLength: 8 }), { maxLength: 3 })
const operationArbitrary = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({ kind: fc.constantFrom('upsert', 'insert', 'delete'), parts: partsArbitrary }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('replace' as const),
      rows: fc.uniqueArray(rowArbitrary, {
        maxLength: 10,
        selector: (row) => `${row.tenant ?? ''}#${row.id}`,
      }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      { kind: 'reopen' } as const,
      { kind: 'maintain' } as const,
      { kind: 'repeat' } as const,
    ),
  },
)
type Operation = typeof operationArbitrary extends fc.Arbitrary<infer Generated> ? Generated : never

/** Few and seeded runs: each goes through the real engine, and a failure must come again with the same seed. */
const RUNS = { numRuns: 8, seed: 20261122, endOnFailure: true }

export function propertyTests(lake: () => TestLake): void {
  test('after any sequence of operations the table holds what the model holds', async () => {
    const sequences = fc.array(operationArbitrary, { minLength: 1, maxLength: 4 })
    await fc.assert(
      fc.asyncProperty(sequences, fc.boolean(), async (operations, partitioned) => {
        const table = await lake().createTable({
          columns: COLUMNS,
          primaryKey: ['tenant', 'id'],
          partitionBy: partitioned ? 'tenant' : null,
        })
        for (const operation of operations) await perform(operation, table)
        await table.expectStored()
      }),
      RUNS,
    )
  })
}

async function perform(operation: Operation, table: TestTable): Promise<void> {
  switch (operation.kind) {
    case 'upsert':
    case 'insert':
    case 'delete':
      await table.apply(operation.kind, ...operation.parts)
      return
    case 'replace':
      await table.replace(operation.rows)
      return
    case 'reopen':
      return table.reopen()
    case 'maintain':
      await table.handle.maintain()
      return
    case 'repeat':
      return repeatLastBatch(table)
  }
}

async function repeatLastBatch(table: TestTable): Promise<void> {
  const batchIndex = await table.handle.appliedThrough(table.runId)
  if (batchIndex === null) return
  const other = await table.stage([{ tenant: 'must not', id: 99, note: 'appear', amount: null }])
  expect(await table.handle.apply(other, 'append', { runId: table.runId, batchIndex })).toMatchObject({
    alreadyApplied: true,
  })
}
