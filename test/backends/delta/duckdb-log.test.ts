import { appendFile, readFile, writeFile } from 'node:fs/promises'
import { describe, expect, inject, test } from 'vitest'
import { z } from 'zod'
import { uriOf } from '../../../platform/endpoints.ts'
import { expectFailure } from '../contract/errors.ts'
import { useLake } from '../contract/lake.ts'
import { optional, required } from '../contract/rows.ts'
import type { TestTable } from '../contract/table.ts'

const actionSchema = z.object({
  commitInfo: z.object({ isBlindAppend: z.boolean().optional(), readVersion: z.int().optional() }).optional(),
  add: z
    .object({
      path: z.string(),
      partitionValues: z.record(z.string(), z.string().nullable()),
      dataChange: z.boolean(),
      size: z.int(),
      stats: z.string().transform((stats): unknown => JSON.parse(stats)),
    })
    .optional(),
  remove: z
    .object({
      path: z.string(),
      partitionValues: z.record(z.string(), z.string().nullable()),
      dataChange: z.boolean(),
      size: z.int(),
    })
    .optional(),
  txn: z.object({ appId: z.string(), version: z.int() }).optional(),
  metaData: z
    .looseObject({ schemaString: z.string(), configuration: z.record(z.string(), z.string()) })
    .optional(),
  protocol: z.object({}).optional(),
})
type Action = z.infer<typeof actionSchema>

describe.skipIf(inject('services').sidecar === null)('the log of a table that DuckDB merges into', () => {
  const lake = useLake('delta/duckdb', 'local')
  const commitPath = (table: TestTable, version: number) =>
    uriOf(
      lake().environment.storage,
      `${table.spec.name}/_delta_log/${String(version).padStart(20, '0')}.json`,
    )
  const actionsOf = async (table: TestTable, version: number): Promise<readonly Action[]> => {
    const lines = (await readFile(commitPath(table, version), 'utf8')).trim().split('\n')
    return lines.map((line) => actionSchema.parse(JSON.parse(line)))
  }
  const addsOf = (actions: readonly Action[]) => actions.flatMap(({ add }) => add ?? [])

  test('has one commit with what was written, what it replaces, and the tag', async () => {
    const columns = [required('id', 'int64'), optional('part', 'string'), optional('note', 'string')]
    const table = await lake().createTable({ columns, primaryKey: ['id'], partitionBy: 'part' })
    const parts = ['a b/ü%', null, 'untouched']
    await table.append(parts.map((part, id) => ({ id, part, note: 'stored' })))
    const added = addsOf(await actionsOf(table, 1))
    await table.upsert([
      { id: 0, part: 'a b/ü%', note: 'changed' },
      { id: 1, part: null, note: 'changed' },
      { id: 5, part: 'new', note: null },
    ])
    await table.expectStored()
    const actions = await actionsOf(table, 2)
    expect(actions.flatMap(({ commitInfo }) => commitInfo ?? [])).toMatchObject([
      { isBlindAppend: false, readVersion: 1 },
    ])
    expect(actions.flatMap(({ txn }) => txn ?? [])).toEqual([
      { appId: `lakeduel:${table.runId}`, version: 1 },
    ])
    const isReplaced = ({ partitionValues }: { readonly partitionValues: Record<string, string | null> }) =>
      partitionValues['part'] !== 'untouched'
    const pathsOf = (files: readonly { readonly path: string; readonly size: number }[]) =>
      files.map(({ path, size }) => `${path} ${size}`).toSorted()
    expect(pathsOf(actions.flatMap(({ remove }) => remove ?? []))).toEqual(pathsOf(added.filter(isReplaced)))
    const written = addsOf(actions).toSorted((left, right) => (left.path < right.path ? -1 : 1))
    expect(written.map(({ partitionValues }) => partitionValues['part'])).toEqual([null, 'a b/ü%', 'new'])
    expect(written.map(({ path }) => path.slice(0, path.indexOf('/')))).toEqual([
      'part=__HIVE_DEFAULT_PARTITION__',
      'part=a%2520b%252F%25C3%25BC%2525',
      'part=new',
    ])
    expect(written.map(({ stats }) => stats)).toMatchObject([
      { numRecords: 1, minValues: { id: 1, note: 'changed' }, nullCount: { id: 0, note: 0 } },
      { numRecords: 1, maxValues: { id: 0, note: 'changed' } },
      { numRecords: 1, minValues: { id: 5 }, maxValues: { id: 5 }, nullCount: { id: 0, note: 1 } },
    ])
  })

  test('tells ranges that hold every value, and none of floats, long numbers and documents', async () => {
    const columns = [
      required('id', 'int32'),
      optional('long', 'int64'),
      optional('flag', 'bool'),
      optional('price', { kind: 'decimal', precision: 9, scale: 2 }),
      optional('exact', { kind: 'decimal', precision: 30, scale: 2 }),
      optional('ratio', 'float64'),
      optional('day', 'date'),
      optional('local', 'timestamp'),
      optional('instant', 'timestamptz'),
      optional('text', 'string'),
      optional('nothing', 'string'),
      optional('document', 'json'),
      optional('bytes', 'binary'),
      optional('tags', { kind: 'list', element: { kind: 'string' } }),
    ]
    const table = await lake().createTable({ columns, primaryKey: ['id'] })
    const rest = { nothing: null, document: '{"a":1}', bytes: '00', tags: ['x'] }
    await table.upsert([
      {
        ...rest,
        id: 1,
        long: '-9223372036854775808',
        flag: false,
        price: '-9999999.99',
        exact: '1.00',
        ratio: 'NaN',
        day: '0001-01-01',
        local: '1969-12-31 23:59:59.999999',
        instant: '2024-03-31 02:30:00.000001+00',
        text: 'é'.repeat(100),
      },
      {
        ...rest,
        id: 2,
        long: '9223372036854775807',
        flag: true,
        price: '9999999.99',
        exact: '2.00',
        ratio: 1.5,
        day: '9999-12-31',
        local: '2024-03-31 02:30:00.000001',
        instant: '9999-12-31 23:59:59+00',
        text: 'a',
      },
    ])
    const [file] = addsOf(await actionsOf(table, 1))
    expect(file?.stats).toEqual({
      numRecords: 2,
      minValues: {
        id: 1,
        // JavaScript reads these as floats; the log has all digits.
        long: -(2 ** 63),
        flag: false,
        price: -9999999.99,
        day: '0001-01-01',
        local: '1969-12-31T23:59:59.999',
        instant: '2024-03-31T02:30:00.000Z',
        text: 'a',
      },
      maxValues: {
        id: 2,
        long: 2 ** 63,
        flag: true,
        price: 9999999.99,
        day: '9999-12-31',
        local: '2024-03-31T02:30:00.001',
        instant: '9999-12-31T23:59:59.000Z',
      },
      nullCount: { id: 0, long: 0, flag: 0, price: 0, day: 0, local: 0, instant: 0, text: 0, nothing: 2 },
    })
    expect(await readFile(commitPath(table, 1), 'utf8')).toContain('9223372036854775807')
    await table.upsert([{ ...rest, id: 3, text: null }])
    await table.expectStored()
  })

  test('keeps the files that hold no key of a batch, and reads only those that may', async () => {
    const columns = [required('id', 'int64'), required('code', 'string'), optional('note', 'string')]
    const table = await lake().createTable({ columns, primaryKey: ['id', 'code'] })
    const row = (id: number, note: string) => ({ id, code: `c${id}`, note })
    const files = [
      [0, 9],
      [10, 19],
      [20, 29],
      [12, 18],
    ]
    for (const ids of files) await table.append(ids.map((id) => row(id, 'stored')))
    const result = await table.upsert([row(0, 'changed'), row(15, 'new'), row(40, 'new')])
    // 0 is in the first, 15 within two others, of which none holds it, and 40 beyond all.
    expect(result.engine).toMatchObject({ filesProbed: 3, filesRemoved: 1, filesAdded: 1, rowsCopied: 1 })
    expect(result).toMatchObject({ rowsInserted: 2, rowsUpdated: 1 })
    await table.expectStored()
    const deleted = await table.apply('delete', [row(0, ''), row(9, ''), row(15, ''), row(40, '')])
    expect(deleted.engine).toMatchObject({ filesRemoved: 1, filesAdded: 0, rowsMatched: 4 })
    const nothing = await table.apply('delete', [row(41, '')])
    expect(nothing).toMatchObject({ commits: 1, engine: { filesRemoved: 0, filesAdded: 0 } })
    const known = await table.apply('insert', [row(10, 'must not appear')])
    expect(known).toMatchObject({ rowsInserted: 0, engine: { filesAdded: 0, filesRemoved: 0 } })
    await table.expectStored()
  })

  test('small files that are touched become one', async () => {
    const columns = [required('id', 'int64'), optional('note', 'string')]
    const table = await lake().createTable({ columns, primaryKey: ['id'] })
    for (const id of [1, 2, 3]) await table.append([{ id, note: 'stored' }])
    await table.upsert([1, 2, 3, 4].map((id) => ({ id, note: 'changed' })))
    expect(await table.handle.describe()).toMatchObject({ rows: 4, dataFiles: 1 })
    await table.expectStored()
  })

  test('columns may have the names that a merge gives its own', async () => {
    const names = [
      'value',
      'index',
      'uri',
      'rows',
      'bytes',
      'place',
      'partition_index',
      'batch',
      'stored',
      'rowid',
      'key_0',
    ]
    const columns = [required('file_index', 'int64'), ...names.map((name) => optional(name, 'string'))]
    const table = await lake().createTable({
      columns,
      primaryKey: ['file_index', 'value'],
      partitionBy: 'index',
    })
    const row = (id: number, note: string) => ({
      file_index: id,
      ...Object.fromEntries(names.map((name) => [name, name === 'value' || name === 'index' ? 'x' : note])),
    })
    await table.upsert([row(1, 'a'), row(2, 'b'), row(1, 'c')])
    await table.upsert([row(2, 'd'), row(3, 'e')])
    await table.apply('delete', [row(1, '')])
    await table.expectStored()
  })

  const withFeatures = (readers: readonly string[], writers: readonly string[]) => ({
    protocol: {
      minReaderVersion: readers.length > 0 ? 3 : 1,
      minWriterVersion: 7,
      ...(readers.length > 0 ? { readerFeatures: readers } : {}),
      writerFeatures: [...readers, ...writers],
    },
  })
  const ofId = (metadata: object) => (column: string) => (column === 'id' ? metadata : {})
  const DEMANDS: readonly {
    readonly name: string
    readonly protocol?: object
    readonly configuration?: Readonly<Record<string, string>>
    readonly metadataOf?: (column: string) => object
    readonly told: RegExp
  }[] = [
    { name: 'deletion vectors', ...withFeatures(['deletionVectors'], []), told: /deletionVectors/ },
    {
      name: 'a feature that nobody knows',
      ...withFeatures([], ['icebergCompatV2']),
      told: /icebergCompatV2/,
    },
    {
      name: 'a change data feed',
      protocol: { minReaderVersion: 1, minWriterVersion: 4 },
      configuration: { 'delta.enableChangeDataFeed': 'true' },
      told: /change data feed/,
    },
    {
      name: 'a constraint',
      protocol: { minReaderVersion: 1, minWriterVersion: 3 },
      configuration: { 'delta.constraints.positive': 'id > 0' },
      told: /delta\.constraints\.positive/,
    },
    {
      name: 'rows that are never removed',
      configuration: { 'delta.appendOnly': 'true' },
      told: /append-only/,
    },
    {
      name: 'mapped columns',
      protocol: { minReaderVersion: 2, minWriterVersion: 5 },
      configuration: { 'delta.columnMapping.mode': 'name' },
      metadataOf: (column) => ({
        'delta.columnMapping.id': column === 'id' ? 1 : 2,
        'delta.columnMapping.physicalName': column,
      }),
      told: /maps its columns/,
    },
    {
      name: 'an invariant',
      metadataOf: ofId({ 'delta.invariants': '{"expression":{"expression":"id > 0"}}' }),
      told: /delta\.invariants on id/,
    },
    {
      name: 'a generated column',
      protocol: { minReaderVersion: 1, minWriterVersion: 4 },
      metadataOf: ofId({ 'delta.generationExpression': 'id' }),
      told: /delta\.generationExpression on id/,
    },
  ]

  test.each(DEMANDS)('$name: a merge is refused, and the table stays as it is', async (demand) => {
    const columns = [required('id', 'int64'), optional('note', 'string')]
    const table = await lake().createTable({ columns, primaryKey: ['id'] })
    await table.append([{ id: 1, note: 'stored' }])
    const batch = await table.stage([{ id: 1, note: 'must not appear' }])
    await commitDemand(table, demand)
    for (const mode of ['upsert', 'insert', 'delete'] as const) {
      const error = await expectFailure(table.handle.apply(batch, mode, table.nextTag()), 'SCHEMA_MISMATCH')
      expect(error.message).toMatch(demand.told)
      expect(error.remedy).toMatch(/delta\/merge/)
    }
    await expect(readFile(commitPath(table, 3))).rejects.toThrow(/ENOENT/)
  })

  test('a file whose path another writer encodes in its own way is not replaced', async () => {
    const columns = [required('id', 'int64'), optional('note', 'string')]
    const table = await lake().createTable({ columns, primaryKey: ['id'] })
    await table.append([{ id: 1, note: 'stored' }])
    const text = await readFile(commitPath(table, 1), 'utf8')
    await writeFile(commitPath(table, 1), text.replaceAll('.parquet"', '%2eparquet"'))
    await table.reopen(await lake().connect())
    const batch = await table.stage([{ id: 1, note: 'must not appear' }])
    const error = await expectFailure(table.handle.apply(batch, 'upsert', table.nextTag()), 'SCHEMA_MISMATCH')
    expect(error.message).toMatch(/can't replace the file .*%2eparquet/)
  })

  /** A commit of another writer that makes the table ask for more than its columns. */
  async function commitDemand(table: TestTable, demand: (typeof DEMANDS)[number]): Promise<void> {
    const [metadata] = (await actionsOf(table, 0)).flatMap(({ metaData }) => metaData ?? [])
    if (metadata === undefined) throw new Error('the first commit has no metaData')
    const schema = z
      .object({
        type: z.string(),
        fields: z.array(z.looseObject({ name: z.string(), metadata: z.object({}) })),
      })
      .parse(JSON.parse(metadata.schemaString))
    const fields = schema.fields.map((field) => ({
      ...field,
      metadata: demand.metadataOf?.(field.name) ?? {},
    }))
    const metaData = {
      ...metadata,
      schemaString: JSON.stringify({ ...schema, fields }),
      configuration: { ...metadata.configuration, ...demand.configuration },
    }
    const actions = [...(demand.protocol === undefined ? [] : [{ protocol: demand.protocol }]), { metaData }]
    await appendFile(commitPath(table, 2), actions.map((action) => `${JSON.stringify(action)}\n`).join(''))
  }
})
