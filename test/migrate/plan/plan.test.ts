import { truncate, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { Mode } from '../../../migrate/plan/decide.ts'
import { figuresByAction } from '../../../migrate/plan/estimate.ts'
import { planTable } from '../../../migrate/plan/plan.ts'
import { add, fixture, metadata, openLocal, PROTOCOL, ScratchTable, snapshotOf } from '../tables.ts'

async function planOf(path: string, mode: Mode = 'auto', asOf: number | null = null) {
  await using source = await openLocal(path)
  return await planTable(source, { asOf, mode, lookForNan: true })
}

/** Files by action, and every reason once. */
async function decisions(name: string, mode: Mode = 'auto') {
  const { files, refusals } = await planOf(fixture(name), mode)
  const counts = [...figuresByAction(files)].map(([action, figures]) => [action, figures.files] as const)
  return {
    ...Object.fromEntries(counts),
    reasons: [...new Set(files.flatMap(({ reasons }) => reasons))].join(),
    refusals,
  }
}

describe('a file is', () => {
  test.each([
    ['dat/basic_partitioned/delta', { register: 6 }, ''],
    ['dat/partitioned_with_null/delta', { register: 6 }, ''],
    ['dat/column_mapping/delta', { register: 2 }, ''],
    ['dat/cdf/delta', { register: 1 }, ''],
    ['dat/nested_types/delta', { register: 1 }, ''],
    ['delta-rs/delta-0.8.0-special-partition', { register: 2 }, ''],
    ['dat/deletion_vectors/delta', { 'register-and-delete': 1 }, ''],
    ['delta-kernel-defaults/basic-dv-no-checkpoint', { register: 1, 'register-and-delete': 1 }, ''],
    ['delta-rs/delta-1.2.1-only-struct-stats', { rewrite: 12 }, 'is stored as INT96'],
    ['delta-rs/table_with_column_mapping', { rewrite: 2 }, 'its path has no folder col-173b4db9'],
    ['dat/multi_partitioned/delta', { rewrite: 2 }, 'binary "data" from a path'],
    ['dat/multi_partitioned_2/delta', { rewrite: 3 }, '"time" is a time without a zone'],
    ['delta-spark/delta-0.1.0', { rewrite: 3 }, 'order bytes by their sign'],
  ])('%s: %j', async (name, counts, reason) => {
    const made = await decisions(name)
    expect(made).toEqual({ ...counts, reasons: expect.stringContaining(reason), refusals: [] })
    if (reason === '') expect(made.reasons).toBe('')
  })

  test('rewritten, every one, when that is asked for', async () => {
    expect(await decisions('dat/basic_partitioned/delta', 'rewrite')).toMatchObject({ rewrite: 6 })
  })
})

describe('a table is refused', () => {
  const refusalsOf = async (path: string, mode: Mode = 'auto') =>
    (await planOf(path, mode)).refusals.join('\n')

  test('when all files must be registered and one can not', async () => {
    expect(await refusalsOf(fixture('dat/multi_partitioned/delta'), 'register')).toMatch(
      /can't be registered: DuckLake can't read the binary "data"/,
    )
  })

  test('when a data file is missing, or of another size, naming it', async () => {
    expect(await refusalsOf(fixture('delta-rs/with_checkpoint_no_last_checkpoint'))).toMatch(
      /part-00000-70b1.* is missing/,
    )
    await using table = await ScratchTable.copyOf('dat/basic_append/delta')
    const [first, second] = (await snapshotOf(table.path)).files
    await truncate(join(table.path, first?.key ?? ''), 100)
    await unlink(join(table.path, second?.key ?? ''))
    const refusals = await refusalsOf(table.path)
    expect(refusals).toContain(`${first?.uri} has 100 bytes, and the log says ${first?.bytes}`)
    expect(refusals).toContain(`${second?.uri} is missing`)
  })

  test('when a deletion vector is missing', async () => {
    await using table = await ScratchTable.copyOf('dat/deletion_vectors/delta')
    const { readdir } = await import('node:fs/promises')
    for (const name of await readdir(table.path))
      if (name.endsWith('.bin')) await unlink(join(table.path, name))
    expect(await refusalsOf(table.path)).toMatch(/deletion_vector_.*\.bin is missing/)
  })

  const fieldsOf = (...fields: readonly (readonly [name: string, type: unknown])[]) =>
    metadata({
      schemaString: JSON.stringify({
        type: 'struct',
        fields: fields.map(([name, type]) => ({ name, type, nullable: true, metadata: {} })),
      }),
    })
  const variants = { type: 'array', elementType: 'variant', containsNull: true }
  const twins = {
    type: 'struct',
    fields: ['x', 'X'].map((name) => ({ name, type: 'long', nullable: true, metadata: {} })),
  }

  test.each([
    ['without columns', fieldsOf(), 'has no columns'],
    [
      'with columns that differ by case',
      fieldsOf(['id', 'long'], ['Id', 'long']),
      '"id" and "Id" differ by case',
    ],
    ['with fields that differ by case', fieldsOf(['s', twins]), '"x" and "X", which differ by case'],
    ['with a type that DuckLake lacks', fieldsOf(['v', 'void']), 'Column "v" is void'],
    ['with a variant within a list', fieldsOf(['v', variants]), 'Column "v".element is a variant within'],
    ['with an empty struct', fieldsOf(['s', { type: 'struct', fields: [] }]), 'struct without fields'],
    ['with more digits than DuckDB has', fieldsOf(['d', 'decimal(39,0)']), 'up to 38 digits'],
  ])('%s', async (_, schema, reason) => {
    await using table = await ScratchTable.empty()
    await table.commit(0, [PROTOCOL, schema])
    expect(await refusalsOf(table.path)).toContain(reason)
  })

  test('when a partition value is not of its type', async () => {
    await using table = await ScratchTable.empty()
    const schema = { schemaString: fieldsOf(['id', 'long'], ['day', 'date']).metaData.schemaString }
    await table.commit(0, [
      PROTOCOL,
      metadata({ ...schema, partitionColumns: ['day'] }),
      add('day=soon/a.parquet', { partitionValues: { day: 'soon' } }),
    ])
    expect(await refusalsOf(table.path)).toContain(`"day" = 'soon', which is no DATE`)
  })
})

describe('a plan tells what DuckLake can not say', () => {
  const notesOf = async (name: string) =>
    (await planOf(fixture(name))).notes.map(({ subject, text }) => `${subject}: ${text}`).join('\n')

  test.each([
    ['dat/check_constraints/delta', 'constraint "const1": CHECK (int > 0)'],
    ['dat/generated_columns/delta', 'It is generated as'],
    ['delta-spark/identity_test_written_by_version_5', 'It is an identity column'],
    ['dat/cdf/delta', 'property delta.enableChangeDataFeed'],
    ['delta-rs/table_with_liquid_clustering', 'The table is clustered by'],
  ])('%s: %s', async (name, text) => {
    expect(await notesOf(name)).toContain(text)
  })
})
