import { copyFile, mkdir, rm, unlink, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { DuckDbSession } from '../../../platform/duckdb/session.ts'
import { plainSession } from '../../scenarios/session.ts'
import { add, linesOf, metadata, PROTOCOL, remove, ScratchTable, snapshotOf } from '../tables.ts'

async function paths(table: ScratchTable, asOf: number | null = null): Promise<readonly string[]> {
  return (await snapshotOf(table.path, asOf)).files.map(({ key, uri }) => key ?? uri).toSorted()
}

/** Three versions: a, then b, then c in the place of a. */
async function threeVersions(): Promise<ScratchTable> {
  const table = await ScratchTable.empty()
  await table.commit(0, [PROTOCOL, metadata(), add('a')])
  await table.commit(1, [add('b')])
  await table.commit(2, [remove('a'), add('c')])
  return table
}

/** Writes rows of a checkpoint; each is one action with a struct of the fields that its kind has. */
async function writeCheckpoint(
  session: DuckDbSession,
  file: string,
  actions: readonly object[],
): Promise<void> {
  await mkdir(dirname(file), { recursive: true })
  const json = `${file}.ndjson`
  await writeFile(json, linesOf(actions))
  const columns = `{
    protocol: 'STRUCT(minReaderVersion INT, minWriterVersion INT, readerFeatures VARCHAR[], writerFeatures VARCHAR[])',
    metaData: 'STRUCT(id VARCHAR, format STRUCT(provider VARCHAR, options MAP(VARCHAR, VARCHAR)), schemaString VARCHAR, partitionColumns VARCHAR[], configuration MAP(VARCHAR, VARCHAR), createdTime BIGINT)',
    "add": 'STRUCT(path VARCHAR, partitionValues MAP(VARCHAR, VARCHAR), size BIGINT, modificationTime BIGINT, dataChange BOOLEAN, stats VARCHAR)',
    remove: 'STRUCT(path VARCHAR, deletionTimestamp BIGINT, dataChange BOOLEAN)',
    sidecar: 'STRUCT(path VARCHAR, sizeInBytes BIGINT, modificationTime BIGINT)'
  }`
  await session.run(
    `COPY (FROM read_json('${json}', format = 'newline_delimited', columns = ${columns})) TO '${file}' (FORMAT parquet)`,
  )
  await unlink(json)
}

const START = [PROTOCOL, metadata()]
const V2_PROTOCOL = {
  protocol: {
    minReaderVersion: 3,
    minWriterVersion: 7,
    readerFeatures: ['v2Checkpoint'],
    writerFeatures: ['v2Checkpoint'],
  },
}
const UUID = '3a0d65cd-4056-49b8-937b-95f9e3ee90e5'

describe('a version of a table', () => {
  test('holds the files that were added and not removed until then', async () => {
    await using table = await threeVersions()
    expect(await paths(table, 0)).toEqual(['a'])
    expect(await paths(table, 1)).toEqual(['a', 'b'])
    expect(await paths(table)).toEqual(['b', 'c'])
  })

  test('takes names of files as URIs, decoded once, and tells which lie elsewhere', async () => {
    await using table = await ScratchTable.empty()
    const own = `file://${table.path}/x%20y`
    await table.commit(0, [
      ...START,
      add('p=A%252FB/a%20b%25'),
      add(own),
      add('file:///elsewhere/z'),
      add('s3a://bucket/k%23'),
    ])
    const { files } = await snapshotOf(table.path)
    expect(files.map(({ key, uri }) => [key, uri])).toEqual([
      ['p=A%2FB/a b%', `${table.path}/p=A%2FB/a b%`],
      ['x y', `${table.path}/x y`],
      [null, '/elsewhere/z'],
      [null, 's3://bucket/k#'],
    ])
  })

  test('takes an empty partition value for NULL, as the protocol says', async () => {
    await using table = await ScratchTable.empty()
    await table.commit(0, [...START, add('a', { partitionValues: { p: '', q: null, r: 'x' } })])
    expect((await snapshotOf(table.path)).files[0]?.partitionValues).toEqual({ p: null, q: null, r: 'x' })
  })

  test('that is not there is refused with the versions that are', async () => {
    await using table = await threeVersions()
    await expect(snapshotOf(table.path, 3)).rejects.toMatchObject({
      code: 'USAGE',
      facts: { latestVersion: 2 },
    })
  })
})

describe('a log with checkpoints', () => {
  test('is read from a classic one, whatever _last_checkpoint says', async () => {
    await using table = await threeVersions()
    await using session = await plainSession()
    await writeCheckpoint(session, table.log('00000000000000000001.checkpoint.parquet'), [
      ...START,
      add('a'),
      add('b'),
    ])
    for (const version of [0, 1]) await unlink(table.commitFile(version))
    expect(await paths(table)).toEqual(['b', 'c'])
    await writeFile(table.log('_last_checkpoint'), '{"version":77,"size":1}')
    expect(await paths(table)).toEqual(['b', 'c'])
    await writeFile(table.log('_last_checkpoint'), 'no json')
    expect(await paths(table)).toEqual(['b', 'c'])
    await expect(snapshotOf(table.path, 0)).rejects.toThrow(/0{20}\.json is missing/)
  })

  test('takes a multi-part one only when all of its parts are there', async () => {
    await using table = await threeVersions()
    await using session = await plainSession()
    const part = (n: number) => table.log(`00000000000000000001.checkpoint.000000000${n}.0000000002.parquet`)
    await writeCheckpoint(session, part(1), [...START, add('a')])
    await writeCheckpoint(session, part(2), [add('b')])
    expect(await paths(table)).toEqual(['b', 'c'])
    await unlink(table.commitFile(0))
    expect(await paths(table)).toEqual(['b', 'c'])
    await unlink(part(2))
    await expect(snapshotOf(table.path)).rejects.toMatchObject({ code: 'SOURCE_BROKEN' })
  })

  test.each(['json', 'parquet'] as const)('reads the sidecars of a V2 one in %s', async (format) => {
    await using table = await ScratchTable.empty()
    await using session = await plainSession()
    const sidecar = `${UUID}.parquet`
    await writeCheckpoint(session, table.log(`_sidecars/${sidecar}`), [add('a'), add('b')])
    const top = [V2_PROTOCOL, metadata(), { sidecar: { path: sidecar, sizeInBytes: 1, modificationTime: 1 } }]
    const name = table.log(`00000000000000000005.checkpoint.${UUID}.${format}`)
    if (format === 'json') await writeFile(name, linesOf([{ checkpointMetadata: { version: 5 } }, ...top]))
    else await writeCheckpoint(session, name, top)
    await table.commit(6, [add('c')])
    expect(await paths(table)).toEqual(['a', 'b', 'c'])
    await rm(table.log(`_sidecars/${sidecar}`))
    await expect(snapshotOf(table.path)).rejects.toThrow(sidecar)
  })

  test('that is damaged names it', async () => {
    await using table = await threeVersions()
    await writeFile(table.log('00000000000000000002.checkpoint.parquet'), 'PAR1 and then nothing')
    await expect(snapshotOf(table.path)).rejects.toThrow(
      /2\.checkpoint\.parquet can't be read as a checkpoint/,
    )
  })

  test('reads counts of rows from statistics that are kept as columns only', async () => {
    await using table = await ScratchTable.copyOf('dat/stats_as_struct/delta')
    const { files } = await snapshotOf(table.path)
    expect(files.map(({ rows }) => rows)).toEqual([5])
  })
})

describe('a log whose commits were cleaned up', () => {
  test('takes a compacted range in their place', async () => {
    await using table = await threeVersions()
    const compacted = table.log('00000000000000000001.00000000000000000002.compacted.json')
    await writeFile(compacted, linesOf([remove('a'), add('b'), add('c')]))
    await copyFile(table.commitFile(2), `${table.path}/kept`)
    for (const version of [1, 2]) await unlink(table.commitFile(version))
    await table.commit(3, [remove('b')])
    expect(await paths(table)).toEqual(['c'])
  })

  test('refuses a gap, naming the commit', async () => {
    await using table = await threeVersions()
    await unlink(table.commitFile(1))
    await expect(snapshotOf(table.path)).rejects.toMatchObject({
      code: 'SOURCE_BROKEN',
      message: expect.stringContaining('_delta_log/00000000000000000001.json is missing'),
    })
    expect(await paths(table, 0)).toEqual(['a'])
  })
})

describe('a log that is broken', () => {
  const BROKEN: readonly (readonly [string, readonly (object | string)[], RegExp])[] = [
    ['a line that is no JSON', [...START, '{"add":'], /0\.json, line 3, can't be read/],
    ['a line that is no object', [...START, '[]'], /line 3/],
    [
      'an action without what it needs',
      [...START, { add: { path: 'a' } }],
      /line 3, can't be read: .*partitionValues|size/,
    ],
    ['no protocol', [metadata()], /name no protocol/],
    ['no metaData', [PROTOCOL], /name no metaData/],
    ['no action at all', [''], /is empty/],
    ['a schema that is no JSON', [PROTOCOL, metadata({ schemaString: '{' })], /schema is no JSON/],
    [
      'a partition column that is none',
      [PROTOCOL, metadata({ partitionColumns: ['x'] })],
      /partitions by "x"/,
    ],
    ['a path that is no URI', [...START, add('100%')], /names the path 100%/],
    [
      'data files that are no Parquet',
      [PROTOCOL, metadata({ format: { provider: 'orc' } })],
      /orc, not Parquet/,
    ],
  ]

  test.each(BROKEN)('by %s is refused, naming the file', async (_, actions, message) => {
    await using table = await ScratchTable.empty()
    await table.commit(0, actions)
    const reading = snapshotOf(table.path)
    await expect(reading).rejects.toMatchObject({ code: 'SOURCE_BROKEN' })
    await expect(reading).rejects.toThrow(message)
    await expect(reading).rejects.toThrow('_delta_log/00000000000000000000.json')
  })

  test('by bytes that are no text is refused', async () => {
    await using table = await ScratchTable.empty()
    await writeFile(table.commitFile(0), Buffer.from([0xff, 0xfe, 0x00]))
    await expect(snapshotOf(table.path)).rejects.toThrow('is not UTF-8')
  })

  test('ignores actions and fields that it does not know', async () => {
    await using table = await ScratchTable.empty()
    await table.commit(0, [...START, add('a', { later: 1 }), { somethingNew: { x: 1 } }, { commitInfo: 5 }])
    expect(await paths(table)).toEqual(['a'])
  })
})

describe('a folder without a log', () => {
  test('is no Delta table', async () => {
    await using table = await ScratchTable.empty()
    await expect(snapshotOf(table.path)).rejects.toMatchObject({ code: 'TABLE_NOT_FOUND' })
  })
})

describe('a protocol that asks for more than is known', () => {
  const features = (readerFeatures: readonly string[]) => ({
    protocol: { minReaderVersion: 3, minWriterVersion: 7, readerFeatures, writerFeatures: readerFeatures },
  })

  test.each([
    ['an unknown feature', features(['deletionVectors', 'teleport']), /feature teleport, which/],
    ['two of them', features(['teleport', 'levitation']), /features teleport, levitation/],
    ['a catalog that manages it', features(['catalogManaged']), /managed by a catalog/],
    ['a newer version', { protocol: { minReaderVersion: 4, minWriterVersion: 8 } }, /reader version 4/],
  ])('by %s is refused', async (_, protocol, message) => {
    await using table = await ScratchTable.empty()
    await table.commit(0, [protocol, metadata(), add('a')])
    const reading = snapshotOf(table.path)
    await expect(reading).rejects.toMatchObject({ code: 'SOURCE_UNSUPPORTED' })
    await expect(reading).rejects.toThrow(message)
  })

  test('a feature of writers alone is none of ours', async () => {
    await using table = await ScratchTable.empty()
    const protocol = { ...features([]).protocol, writerFeatures: ['rowTracking', 'teleport'] }
    await table.commit(0, [{ protocol }, metadata(), add('a')])
    expect(await paths(table)).toEqual(['a'])
  })
})
