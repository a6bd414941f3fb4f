import { appendFile, mkdir, mkdtemp, rm, truncate, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { parseSourceConfig } from '../../../pipeline/sources/config.ts'
import { classify } from '../../../pipeline/sources/errors.ts'
import { files } from '../../../pipeline/sources/files/index.ts'
import type {
  ClassifiedFailure,
  JsonValue,
  Page,
  ReadRequest,
  Row,
  SourceTable,
} from '../../../pipeline/sources/source.ts'
import { DuckDbSession } from '../../../platform/duckdb/session.ts'
import { literal } from '../../../platform/duckdb/sql.ts'
import { sourceContract } from './contract.ts'

const MIB = 1024 * 1024
const NO_COLUMNS = { fileColumns: false } as const

let root: string
let folder: string
let made = 0
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'lakeduel-files-'))
})
beforeEach(async () => {
  made += 1
  folder = join(root, String(made))
  await mkdir(folder)
})
afterAll(() => rm(root, { recursive: true, force: true }))

async function put(name: string, content: string | Uint8Array, modifiedAt?: string): Promise<string> {
  const path = join(folder, name)
  await mkdir(dirname(path), { recursive: true })
  await writeFile(path, content)
  if (modifiedAt !== undefined) await utimes(path, new Date(modifiedAt), new Date(modifiedAt))
  return path
}

async function putParquet(name: string, select: string, options = ''): Promise<string> {
  const path = join(folder, name)
  await using session = await DuckDbSession.open({
    extensionPaths: {},
    extensions: [],
    settings: { TimeZone: 'UTC' },
    secrets: [],
  })
  await session.run(`COPY (${select}) TO ${literal(path)} (FORMAT parquet${options})`)
  return path
}

interface Asked {
  readonly since?: JsonValue
  readonly incremental?: boolean
  readonly resume?: JsonValue
  readonly limits?: ReadRequest['limits']
}

async function tableOf(config: Record<string, unknown>): Promise<SourceTable> {
  await using source = await files.open(parseSourceConfig(files, { location: folder, ...config }))
  const [table] = await source.discover()
  if (table === undefined) throw new Error('the source has no table')
  return table
}

async function pagesOf(config: Record<string, unknown>, asked: Asked = {}): Promise<readonly Page[]> {
  await using source = await files.open(parseSourceConfig(files, { location: folder, ...config }))
  const [table] = await source.discover()
  if (table === undefined) throw new Error('the source has no table')
  const isIncremental = asked.incremental ?? asked.since !== undefined
  const pages: Page[] = []
  for await (const page of source.read({
    table,
    incremental: isIncremental ? { field: '_file_modified_at', since: asked.since ?? null } : null,
    resume: asked.resume ?? null,
    signal: new AbortController().signal,
    limits: asked.limits ?? {
      readAheadBytes: 150 * MIB,
      pageRows: 100_000,
      maxRowBytes: Number.MAX_SAFE_INTEGER,
    },
    parents: null,
  }))
    pages.push(page)
  return pages
}

async function rowsOf(
  config: Record<string, unknown> = NO_COLUMNS,
  asked: Asked = {},
): Promise<readonly Row[]> {
  return (await pagesOf(config, asked)).flatMap(({ rows }) => rows)
}

async function failureOf(
  config: Record<string, unknown> = NO_COLUMNS,
  asked: Asked = {},
): Promise<ClassifiedFailure> {
  const error = await pagesOf(config, asked).then(
    () => null,
    (thrown: unknown) => thrown,
  )
  if (error === null) throw new Error('the read was expected to fail')
  return classify(files, error)
}

function lines(count: number, from = 0): string {
  return Array.from(
    { length: count },
    (_, index) => `${JSON.stringify({ id: from + index, text: `row ${from + index}`, tags: ['a', 'é'] })}\n`,
  ).join('')
}

describe('the contract', () => {
  let contractRoot: string
  beforeAll(async () => {
    contractRoot = await mkdtemp(join(tmpdir(), 'lakeduel-files-contract-'))
    folder = contractRoot
    for (const [index, count] of [300, 1, 700, 5_000].entries()) {
      const time = `2026-01-0${index + 1}T00:00:00Z`
      await put(`ndjson/part-${index}.ndjson`, lines(count, index * 10_000), time)
      await put(`zipped/part-${index}.jsonl.gz`, gzipSync(lines(count, index * 10_000)), time)
      const rows = Array.from(
        { length: count },
        (_, row) => `${row},"text ""${row}"",\nand more",${row}.5,2026-01-01\n`,
      )
      await put(`csv/sub/part-${index}.csv`, `id,text,amount,day\n${rows.join('')}`, time)
      await mkdir(join(folder, 'parquet'), { recursive: true })
      const path = await putParquet(
        `parquet/part-${index}.parquet`,
        `SELECT i AS id, 'text ' || i AS text, i::DECIMAL(20, 2) AS amount, {'a': [i]} AS nested, now() AS at FROM range(${count}) t(i)`,
        ', ROW_GROUP_SIZE 2048',
      )
      await utimes(path, new Date(time), new Date(time))
    }
  })
  afterAll(() => rm(contractRoot, { recursive: true, force: true }))

  for (const kind of ['ndjson', 'zipped', 'csv', 'parquet'])
    sourceContract(`the files source on ${kind}`, files, () => ({ location: join(contractRoot, kind) }), {
      pageRows: 150,
      readAheadBytes: 20_000,
      skipped: ['wrong-credentials'],
    })
})

describe('locations', () => {
  test('a file, a folder, a glob and a relative path all find what is there', async () => {
    await put('a.ndjson', lines(1))
    await put('deep/b.ndjson', lines(2, 10))
    await put('deep/c.csv', 'x\n1\n')
    expect(await rowsOf({ ...NO_COLUMNS, location: join(folder, 'a.ndjson') })).toHaveLength(1)
    expect(await rowsOf({ ...NO_COLUMNS, location: join(folder, '**/*.ndjson') })).toHaveLength(3)
    expect(await rowsOf({ ...NO_COLUMNS, location: join(folder, 'deep/b*') })).toHaveLength(2)
    expect(await rowsOf({ ...NO_COLUMNS, location: `${folder}/../${made}/deep/c.csv` })).toEqual([{ x: '1' }])
  })

  test('hidden files, markers of jobs, empty files and files of no known kind are left out', async () => {
    await put('a.ndjson', lines(1))
    for (const name of ['.hidden.ndjson', '_SUCCESS', '_temporary/b.ndjson', 'README.md'])
      await put(name, '{"id":9}\n')
    await put('empty.ndjson', '')
    expect(await rowsOf()).toHaveLength(1)
  })

  test.each([
    ['/data/events/*.parquet', 'events'],
    ['/data/orders.csv.gz', 'orders'],
    ['./x/../daily', 'daily'],
  ])('the table of %s is called %s', async (location, name) => {
    await put('a.ndjson', lines(1))
    const { parseLocation, tableNameOf } = await import('../../../pipeline/sources/files/location.ts')
    expect(tableNameOf(parseLocation(location))).toBe(name)
    expect((await tableOf({ table: 'mine' })).name).toBe('mine')
  })

  test('a folder of two formats is refused, with an example of each', async () => {
    await put('a.ndjson', lines(1))
    await put('b.csv', 'x\n1\n')
    expect(await failureOf()).toMatchObject({
      class: 'user',
      code: 'mixed_formats',
      message: expect.stringMatching(/a\.ndjson.*b\.csv|b\.csv.*a\.ndjson/),
    })
  })

  test('a place without files is told as that', async () => {
    expect(await failureOf()).toMatchObject({ class: 'user', code: 'no_files' })
    expect(await failureOf({ location: join(folder, 'nowhere') })).toMatchObject({
      class: 'user',
      code: 'file_missing',
    })
  })
})

describe('NDJSON', () => {
  test('values come as they are, and whole numbers with all of their digits', async () => {
    await put(
      'a.ndjson',
      '{"id":12345678901234567890,"f":1.5,"small":7,"n":null,"o":{"id":9007199254740993},"u":"日本\\u0041"}\r\n\n  \n{"id":1}',
    )
    expect(await rowsOf()).toEqual([
      { id: 12345678901234567890n, f: 1.5, small: 7, n: null, o: { id: 9007199254740993n }, u: '日本A' },
      { id: 1 },
    ])
  })

  test('a row tells its file, the time of it and its number', async () => {
    await put('sub/a.ndjson', lines(2), '2026-01-02T03:04:05Z')
    const rows = await rowsOf({})
    expect(rows[1]).toMatchObject({
      id: 1,
      _file: 'sub/a.ndjson',
      _file_modified_at: new Date('2026-01-02T03:04:05Z'),
      _row: 2,
    })
    expect(await tableOf({})).toMatchObject({ primaryKey: ['_file', '_row'], keysOnce: true, columns: null })
  })

  test('a line of many chunks is one row', async () => {
    const text = 'é'.repeat(3 * MIB)
    await put('a.ndjson', `{"id":1,"text":"${text}"}\n{"id":2}\n`)
    const rows = await rowsOf()
    expect(rows.map((row) => row['id'])).toEqual([1, 2])
    expect(rows[0]?.['text'] === text).toBe(true)
  })

  test('a byte order mark is no part of the first line', async () => {
    await put('a.ndjson', `\ufeff${lines(2)}`)
    const pages = await pagesOf(NO_COLUMNS, {
      limits: { readAheadBytes: MIB, pageRows: 1, maxRowBytes: Number.MAX_SAFE_INTEGER },
    })
    expect(pages.flatMap(({ rows }) => rows).map((row) => row['id'])).toEqual([0, 1])
    expect((await rowsOf(NO_COLUMNS, { resume: pages[0]?.cursor ?? null })).map((row) => row['id'])).toEqual([
      1,
    ])
  })

  test.each([
    ['broken_json', Buffer.from('{"id":2,"secret":"hush')],
    ['broken_json', Buffer.from('[1,2]')],
    ['broken_json', Buffer.from('"hush"')],
    ['invalid_utf8', Buffer.from([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x7d])],
    ['nul_character', Buffer.from('{"id":2\0}')],
  ])('%s is told with file and line, without the line itself', async (code, line) => {
    await put('good.ndjson', lines(1), '2026-01-01')
    await put(
      'bad.ndjson',
      Buffer.concat([Buffer.from('{"id":1}\n\n'), line, Buffer.from('\n{"id":3}\n')]),
      '2026-01-02',
    )
    const failure = await failureOf()
    expect(failure).toMatchObject({
      class: 'user',
      code,
      message: expect.stringContaining('bad.ndjson, line 3,'),
    })
    expect(JSON.stringify(failure)).not.toContain('hush')
  })

  test('UTF-16 is told as that', async () => {
    await put('a.ndjson', Buffer.from('\ufeff{"id":1}\n', 'utf16le'))
    expect(await failureOf()).toMatchObject({
      class: 'user',
      code: 'invalid_utf8',
      message: expect.stringContaining('UTF-16'),
    })
  })

  test('a broken file is told after the pages before the one with its broken line', async () => {
    await put('a.ndjson', `${lines(50)}{broken\n`)
    await using source = await files.open(parseSourceConfig(files, { location: folder }))
    const [table] = await source.discover()
    if (table === undefined) throw new Error('the source has no table')
    let rows = 0
    const reading = (async () => {
      const limits = { readAheadBytes: MIB, pageRows: 10, maxRowBytes: Number.MAX_SAFE_INTEGER }
      const request = {
        table,
        incremental: null,
        resume: null,
        signal: new AbortController().signal,
        limits,
        parents: null,
      }
      for await (const page of source.read(request)) rows += page.rows.length
    })()
    await expect(reading).rejects.toThrow('a.ndjson, line 51,')
    expect(rows).toBe(40)
  })

  test('a row of 1 GiB ends the sync with the line, and takes no such memory', async () => {
    const path = await put('a.ndjson', '{"id":1}\n{"text":"')
    // A hole in the file reads as NUL bytes, and takes no disk.
    await truncate(path, 1024 * MIB)
    await appendFile(path, '"}\n')
    const before = process.memoryUsage.rss()
    expect(await failureOf({ ...NO_COLUMNS, maxRowBytes: 64 * MIB })).toMatchObject({
      class: 'user',
      code: 'row_too_large',
      message: expect.stringMatching(/a\.ndjson, line 2,.*67108864/),
    })
    expect(process.memoryUsage.rss() - before).toBeLessThan(300 * MIB)
  })

  test('zipped files are read, resumed within, and told when they are damaged', async () => {
    const zipped = gzipSync(lines(2_000))
    await put('a.ndjson.gz', zipped)
    const pages = await pagesOf(NO_COLUMNS, {
      limits: { readAheadBytes: MIB, pageRows: 700, maxRowBytes: Number.MAX_SAFE_INTEGER },
    })
    expect(pages.map(({ rows }) => rows.length)).toEqual([700, 700, 600])
    expect((await rowsOf(NO_COLUMNS, { resume: pages[0]?.cursor ?? null }))[0]).toMatchObject({ id: 700 })
    await put('a.ndjson.gz', zipped.subarray(0, zipped.length / 2))
    expect(await failureOf()).toMatchObject({ class: 'user', code: 'broken_gzip' })
    await put('a.ndjson.gz', 'not zipped at all')
    expect(await failureOf()).toMatchObject({ class: 'user', code: 'broken_gzip' })
  })
})

describe('CSV', () => {
  test('quotes, line ends and delimiters within quotes, empty and missing values are told apart', async () => {
    await put('a.csv', 'id,text,empty\r\n1,"a ""quoted"", text\r\nof two lines",""\r\n2,plain,\r\n3,"x",y')
    expect(await rowsOf()).toEqual([
      { id: '1', text: 'a "quoted", text\r\nof two lines', empty: '' },
      { id: '2', text: 'plain', empty: null },
      { id: '3', text: 'x', empty: 'y' },
    ])
  })

  test('a quote within a plain value begins nothing', async () => {
    await put('a.csv', 'id,size\n1,5" pipe\n2,"6"" pipe"\n')
    expect((await rowsOf()).map((row) => row['size'])).toEqual(['5" pipe', '6" pipe'])
  })

  test.each([
    [';', 'a;b\n1,5;2\n'],
    ['\t', 'a\tb\n1,5\t2\n'],
    ['|', 'a|b\n1,5|2\n'],
  ])('the delimiter %s is found by itself', async (_delimiter, text) => {
    await put('a.csv', text)
    expect(await rowsOf()).toEqual([{ a: '1,5', b: '2' }])
  })

  test('types are told by the first rows, and a code with zeros before it stays a text', async () => {
    await put(
      'a.csv',
      'i,f,b,d,t,z,code,text,none,long\n-1,1.5,true,2026-01-01,2026-01-01 00:00:00,2026-01-01T00:00:00Z,007,x,,0.12345678901234567\n2,3,FALSE,2026-12-31,2026-01-01T00:00:00.123,2026-01-01 00:00:00+01,123,y,,1\n',
    )
    const { columns } = await tableOf(NO_COLUMNS)
    expect(columns?.map(({ name, type }) => `${name} ${type?.kind ?? 'unknown'}`)).toEqual([
      'i int64',
      'f float64',
      'b bool',
      'd date',
      't timestamp',
      'z timestamptz',
      'code string',
      'text string',
      'none unknown',
      'long string',
    ])
    const texts = (await tableOf({ ...NO_COLUMNS, csvTypes: 'text' })).columns
    expect(new Set(texts?.map(({ type }) => type?.kind))).toEqual(new Set(['string']))
  })

  test('files may have their columns in another order, or others', async () => {
    await put('a.csv', 'id,text\n1,a\n', '2026-01-01')
    await put('b.csv', 'more,id\nx,2\n', '2026-01-02')
    expect(await rowsOf()).toEqual([
      { id: '1', text: 'a' },
      { more: 'x', id: '2' },
    ])
    expect((await tableOf(NO_COLUMNS)).columns?.map(({ name }) => name)).toEqual(['id', 'text', 'more'])
  })

  test('without a header the columns are numbered', async () => {
    await put('a.csv', '1,a\n2,b\n')
    expect(await rowsOf({ ...NO_COLUMNS, header: false })).toEqual([
      { column_1: '1', column_2: 'a' },
      { column_1: '2', column_2: 'b' },
    ])
  })

  test('a header alone is a table without rows', async () => {
    await put('a.csv', 'id,text\n')
    expect(await rowsOf()).toEqual([])
    expect((await tableOf(NO_COLUMNS)).columns).toHaveLength(2)
  })

  test.each([
    ['id,text\n1,a\n2\n', 'a.csv, line 3, has 1 fields instead of 2.'],
    ['id,text\n1,"a\nb"\n2,b,c\n', 'a.csv, line 4, has 3 fields instead of 2.'],
    ['id,text\n1,"a"b\n', 'a.csv, line 2, has text after a closing quote'],
    ['id,text\n1,a\n2,"never closed\n3,c\n', 'a.csv, line 3, opens a quote that nothing closes.'],
    ['id,id\n1,2\n', 'a.csv, line 1, names the column id twice.'],
  ])('%j is told with its line', async (text, message) => {
    await put('a.csv', text)
    const failure = await failureOf()
    expect(failure).toMatchObject({ class: 'user', code: 'broken_csv' })
    expect(failure.message).toContain(message)
  })

  test.each([1, 2, 3, 5, 7, 64])('records are cut the same in chunks of %i bytes', async (size) => {
    const { recordsOf } = await import('../../../pipeline/sources/files/records.ts')
    const text = Buffer.from('a,"b ""x""\n,y"\r\n"",plain "q",\n"é","""",\n\nlast,"z"')
    async function* chunks() {
      for (let at = 0; at < text.length; at += size) yield text.subarray(at, at + size)
    }
    const found: string[] = []
    const shape = { name: 'a', maxBytes: 1_000, quoting: { quote: 34, delimiter: 44 } }
    for await (const records of recordsOf(chunks(), { byte: 0, line: 0 }, shape))
      found.push(...records.map((record) => `${record.line}-${record.nextLine}: ${record.bytes.toString()}`))
    expect(found).toEqual([
      '1-2: a,"b ""x""\n,y"',
      '3-3: "",plain "q",',
      '4-4: "é","""",',
      '5-5: ',
      '6-5: last,"z"',
    ])
  })
})

describe('Parquet', () => {
  test('every type comes without a loss', async () => {
    await putParquet(
      'a.parquet',
      `SELECT 9223372036854775807::BIGINT AS big, 18446744073709551615::UBIGINT AS ubig, 12345678901234567890.1234::DECIMAL(38, 4) AS dec,
        TIMESTAMP '2026-01-02 03:04:05.123456' AS ts, TIMESTAMPTZ '2026-01-02 03:04:05.123456+02' AS tz, DATE '2026-01-02' AS day,
        TIME '03:04:05' AS clock, 'a'::BLOB AS bin, uuid '3d05b97b-11db-475a-8df1-2184d9fac149' AS id, {'x': [1, 2], 'y': NULL} AS nested,
        [1.5::DECIMAL(4,1)] AS list, MAP {'k': 1} AS map, NULL::INTEGER AS none, true AS flag, 1.25::FLOAT AS f, 'it''s' AS "odd ""name"`,
    )
    const [row] = await rowsOf()
    expect(row).toEqual({
      big: 9223372036854775807n,
      ubig: '18446744073709551615',
      dec: '12345678901234567890.1234',
      ts: '2026-01-02 03:04:05.123456',
      tz: '2026-01-02 01:04:05.123456+00',
      day: '2026-01-02',
      clock: '03:04:05',
      bin: Buffer.from('a'),
      id: '3d05b97b-11db-475a-8df1-2184d9fac149',
      nested: '{"x":[1,2],"y":null}',
      list: '[1.5]',
      map: '{"k":1}',
      none: null,
      flag: true,
      f: 1.25,
      'odd "name': "it's",
    })
    const types = Object.fromEntries(
      (await tableOf(NO_COLUMNS)).columns?.map(({ name, type }) => [name, type]) ?? [],
    )
    expect(types).toMatchObject({
      big: { kind: 'int64' },
      ubig: { kind: 'decimal', precision: 20, scale: 0 },
      dec: { kind: 'decimal', precision: 38, scale: 4 },
      tz: { kind: 'timestamptz' },
      nested: { kind: 'json' },
      id: { kind: 'string' },
    })
  })

  test('rows that are wider than others make smaller pages', async () => {
    await putParquet(
      'a.parquet',
      `SELECT i AS id, repeat('x', CASE WHEN i >= 900 THEN 100000 ELSE 10 END) AS text FROM range(1000) t(i)`,
    )
    const limits = { readAheadBytes: MIB, pageRows: 10_000, maxRowBytes: Number.MAX_SAFE_INTEGER }
    const pages = await pagesOf(NO_COLUMNS, { limits })
    expect(pages.every(({ bytes = 0 }) => bytes <= MIB)).toBe(true)
    expect(pages[0]?.rows.length).toBeGreaterThan(900)
    expect(pages.at(-2)?.rows).toHaveLength(10)
  })

  test('a column that is called as DuckDB calls row numbers does no harm', async () => {
    await putParquet('a.parquet', `SELECT 7 AS file_row_number, i AS id FROM range(10) t(i)`)
    const pages = await pagesOf(NO_COLUMNS, {
      limits: { readAheadBytes: MIB, pageRows: 4, maxRowBytes: Number.MAX_SAFE_INTEGER },
    })
    expect((await rowsOf(NO_COLUMNS, { resume: pages[0]?.cursor ?? null })).map((row) => row['id'])).toEqual([
      4n,
      5n,
      6n,
      7n,
      8n,
      9n,
    ])
  })

  test('a row group that no vector of rows could be had of is refused, with what to do', async () => {
    await putParquet(
      'a.parquet',
      `SELECT i AS id, repeat(md5(i::VARCHAR) || random()::VARCHAR, 10000) AS text FROM range(100) t(i)`,
    )
    expect(await failureOf({ ...NO_COLUMNS, maxRowBytes: MIB })).toMatchObject({
      class: 'user',
      code: 'wide_row_group',
      message: expect.stringContaining('row group 0'),
    })
  })

  test('a text that a dictionary holds once and many rows use is counted as often as it is used', async () => {
    await putParquet('a.parquet', `SELECT i AS id, repeat('x', 1000000) AS text FROM range(5000) t(i)`)
    expect(await failureOf()).toMatchObject({
      class: 'user',
      code: 'wide_row_group',
      message: expect.stringMatching(/a\.parquet, rows from \d+ on: DuckDB would decode \d+ MiB at once/),
    })
  })

  test('what is no Parquet is told as that', async () => {
    await put('a.parquet', 'not parquet, but long enough to be read as one')
    expect(await failureOf()).toMatchObject({ class: 'user', code: 'broken_parquet' })
  })
})

describe('incremental reads', () => {
  test('read what is new or was changed, and nothing else', async () => {
    await put('a.ndjson', lines(2), '2026-01-01')
    await put('b.ndjson', lines(2, 10), '2026-01-02')
    const first = await pagesOf({}, { incremental: true })
    const mark = first.at(-1)?.mark ?? null
    expect(await pagesOf({}, { since: mark })).toEqual([])
    await put('a.ndjson', lines(3, 100), '2026-01-03')
    await put('c.ndjson', lines(1, 20), '2026-01-03')
    const rows = await rowsOf({}, { since: mark })
    expect(rows.map((row) => `${String(row['_file'])} ${String(row['id'])}`)).toEqual([
      'a.ndjson 100',
      'a.ndjson 101',
      'a.ndjson 102',
      'c.ndjson 20',
    ])
  })

  test('find a file that shows up late with an older time, up to the time that is looked back', async () => {
    await put('a.ndjson', lines(1), '2026-01-10T00:00:00Z')
    await put('b.ndjson', lines(1, 10), '2026-01-10T12:00:00Z')
    const mark = (await pagesOf({}, { incremental: true })).at(-1)?.mark ?? null
    await put('late.ndjson', lines(1, 20), '2026-01-10T06:00:00Z')
    expect((await rowsOf({}, { since: mark })).map((row) => row['id'])).toEqual([20])
    const short = (await pagesOf({ lookbackHours: 0 }, { incremental: true })).at(-1)?.mark ?? null
    await put('later.ndjson', lines(1, 30), '2026-01-10T01:00:00Z')
    expect(await rowsOf({ lookbackHours: 0 }, { since: short })).toEqual([])
  })

  test('remember many files in little space', async () => {
    const time = new Date('2026-01-10T00:00:00Z')
    for (let index = 0; index < 2_500; index += 1)
      await writeFile(join(folder, `${index}.ndjson`), `{"id":${index}}\n`)
    for (let index = 0; index < 2_500; index += 1) await utimes(join(folder, `${index}.ndjson`), time, time)
    const pages = await pagesOf(
      {},
      {
        incremental: true,
        limits: { readAheadBytes: MIB, pageRows: 1_000, maxRowBytes: Number.MAX_SAFE_INTEGER },
      },
    )
    expect(pages.map(({ rows }) => rows.length)).toEqual([1_000, 1_000, 500])
    for (const { cursor } of pages) expect(JSON.stringify(cursor).length).toBeLessThan(40_000)
    expect(await rowsOf({}, { since: pages.at(-1)?.mark ?? null })).toEqual([])
  })

  test('a file without rows is read once, too', async () => {
    await put('a.ndjson', '\n\n')
    const pages = await pagesOf({}, { incremental: true })
    expect(pages).toMatchObject([{ rows: [] }])
    expect(await pagesOf({}, { since: pages[0]?.mark ?? null })).toEqual([])
  })
})

describe('files that change meanwhile', () => {
  test('a file that shows up between two pages is read by whoever goes on', async () => {
    await put('b.ndjson', lines(4), '2026-01-10T12:00:00Z')
    const [first] = await pagesOf(NO_COLUMNS, {
      limits: { readAheadBytes: MIB, pageRows: 2, maxRowBytes: Number.MAX_SAFE_INTEGER },
    })
    await put('late.ndjson', lines(1, 20), '2026-01-10T06:00:00Z')
    expect((await rowsOf(NO_COLUMNS, { resume: first?.cursor ?? null })).map((row) => row['id'])).toEqual([
      2, 3, 20,
    ])
  })

  test('a file that was begun and is another now cannot be gone on with', async () => {
    await put('a.ndjson', lines(4), '2026-01-01')
    const [first] = await pagesOf(NO_COLUMNS, {
      limits: { readAheadBytes: MIB, pageRows: 2, maxRowBytes: Number.MAX_SAFE_INTEGER },
    })
    await put('a.ndjson', lines(9), '2026-01-02')
    expect(await failureOf(NO_COLUMNS, { resume: first?.cursor ?? null })).toMatchObject({
      class: 'user',
      code: 'read_not_resumable',
    })
  })

  test('a file that is written while it is read is told', async () => {
    const path = await put('a.ndjson', lines(10), '2026-01-01')
    await put('b.ndjson', lines(10), '2026-01-02')
    await using source = await files.open(parseSourceConfig(files, { location: folder }))
    const [table] = await source.discover()
    if (table === undefined) throw new Error('the source has no table')
    const limits = { readAheadBytes: MIB, pageRows: 3, maxRowBytes: Number.MAX_SAFE_INTEGER }
    const reading = (async () => {
      for await (const _ of source.read({
        table,
        incremental: null,
        resume: null,
        signal: new AbortController().signal,
        limits,
        parents: null,
      }))
        await appendFile(join(dirname(path), 'b.ndjson'), '{"id":99}\n')
    })()
    await expect(reading).rejects.toThrow('b.ndjson changed')
  })
})
