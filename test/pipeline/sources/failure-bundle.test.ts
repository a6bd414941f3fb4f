import { cp, mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import fc from 'fast-check'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { parseSourceConfig, type RawConfig } from '../../../pipeline/sources/config.ts'
import { type Bundle, readBundle } from '../../../pipeline/sources/failure-bundle/bundle.ts'
import { replay } from '../../../pipeline/sources/failure-bundle/replay.ts'
import { shapeOf } from '../../../pipeline/sources/failure-bundle/shape.ts'
import { type FailureReport, writeFailureBundle } from '../../../pipeline/sources/failure-bundle/write.ts'
import {
  DecimalText,
  type Page,
  type ReadRequest,
  type SourceDefinition,
} from '../../../pipeline/sources/source.ts'
import { synthetic } from '../../../pipeline/sources/synthetic/index.ts'
import { LakeduelError } from '../../../platform/errors.ts'

let root: string
let folder: string
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'lakeduel-bundles-'))
  folder = join(root, 'home', 'failures')
})
afterAll(() => rm(root, { recursive: true, force: true }))
afterEach(() => rm(join(root, 'home'), { recursive: true, force: true }))

const SECRET = 'sk_live_planted_secret_1'
const PASSWORD = 'planted pass/word'
const PERSON = 'Ada Planted Lovelace'
const MAIL = 'ada.planted@example.org'
const CARD = 4_242_424_242_424_242
const PLANTED = [SECRET, PASSWORD, encodeURIComponent(PASSWORD), PERSON, MAIL, String(CARD), 'planted']

/** A source over a real server, whose pages and failures hold a customer's values and quote the key. */
const shop: SourceDefinition = {
  name: 'shop',
  title: 'A shop',
  version: 3,
  config: z.strictObject({
    url: z.url(),
    apiKey: z.string(),
    proxy: z.string().optional(),
    region: z.string().default('eu'),
  }),
  secretKeys: ['apiKey'],
  errors: [
    {
      code: 'shop_down',
      class: 'source',
      matches: (error) => error instanceof ShopError && error.status === 503,
      message: (error) => `The shop is down: ${error instanceof Error ? error.message : ''}`,
      remedy: 'Wait.',
      retryAfterMs: () => 5_000,
    },
  ],
  open: async (config) => {
    const { url } = z.looseObject({ url: z.string() }).parse(config)
    return {
      checkCredentials: async () => undefined,
      discover: async () => [TABLE],
      read: (request) => readShop(url, request),
      [Symbol.asyncDispose]: async () => undefined,
    }
  },
}
const TABLE = {
  name: 'customers',
  columns: [
    { name: 'mail', type: { kind: 'string' }, nullable: false },
    { name: 'details', type: null, nullable: true },
  ],
  primaryKey: ['mail'],
  incremental: [],
  partition: null,
  parent: null,
  keysOnce: true,
  pagesAreDear: true,
  estimatedRows: null,
} as const

class ShopError extends Error {
  readonly status: number
  readonly customer = { name: PERSON, [MAIL]: CARD }
  readonly exchange: unknown
  constructor(status: number, message: string, exchange: unknown) {
    super(message)
    this.status = status
    this.exchange = exchange
  }
}

async function* readShop(url: string, { resume, signal }: ReadRequest): AsyncIterable<Page> {
  for (let after = resume; ; ) {
    const query = { after: z.string().nullable().parse(after) ?? '' }
    const requestHeaders = { authorization: `Bearer ${SECRET}`, accept: 'application/json' }
    const response = await fetch(`${url}/customers?${new URLSearchParams(query).toString()}`, {
      headers: requestHeaders,
      signal,
    })
    const body = z
      .array(z.looseObject({ mail: z.string() }))
      .or(z.looseObject({ message: z.string() }))
      .parse(await response.json())
    if (!Array.isArray(body)) {
      const responseHeaders = Object.fromEntries(response.headers)
      throw new ShopError(response.status, body.message, {
        route: 'GET /customers',
        status: response.status,
        query,
        requestHeaders,
        responseHeaders,
        body,
      })
    }
    if (body.length === 0) return
    after = body.at(-1)?.mail ?? null
    yield { rows: body, cursor: after }
  }
}

let server: Server | null = null
afterEach(() => server?.close())

/** Serves one page, and then what is asked for. */
async function serve(second: { readonly status: number; readonly body: unknown }): Promise<string> {
  server = createServer((request, response) => {
    const isFirst = new URL(request.url ?? '', 'http://shop').searchParams.get('after') === ''
    const { status, body } = isFirst
      ? { status: 200, body: [{ mail: MAIL, details: { name: PERSON, card: CARD, tags: ['planted'] } }] }
      : second
    response.writeHead(status, {
      'content-type': 'application/json',
      'x-request-id': 'req_1',
      'set-cookie': 'session=planted',
    })
    response.end(JSON.stringify(body))
  }).listen(0, '127.0.0.1')
  const { promise, resolve } = Promise.withResolvers<unknown>()
  server.once('listening', resolve)
  await promise
  return `http://127.0.0.1:${z.object({ port: z.int() }).parse(server.address()).port}`
}

const LIMITS = { readAheadBytes: 1_000_000, pageRows: 100, maxRowBytes: Number.MAX_SAFE_INTEGER }

function configOf(url: string): RawConfig {
  return {
    url,
    apiKey: SECRET,
    region: 'eu',
    proxy: `http://me:${encodeURIComponent(PASSWORD)}@proxy.example.org`,
  }
}

/** Reads until it fails, as a sync does, and reports it. */
async function reportOf(config: RawConfig, includeValues = false): Promise<FailureReport> {
  const source = await shop.open(parseSourceConfig(shop, config))
  const request = {
    incremental: null,
    limits: LIMITS,
    table: TABLE,
    signal: new AbortController().signal,
    parents: null,
  }
  let resume: FailureReport['request']['resume'] = null
  try {
    for await (const page of source.read({ ...request, resume })) resume = page.cursor
  } catch (error) {
    return {
      definition: shop,
      from: 'shop',
      config,
      runId: 'run-1',
      table: TABLE,
      lakeColumns: [{ name: 'mail', type: { kind: 'string' }, nullable: false }],
      request: { incremental: null, resume, limits: LIMITS },
      error,
      includeValues,
    }
  }
  throw new Error('the read was expected to fail')
}

const DOWN = {
  status: 503,
  body: {
    message: `No stock for '${PERSON}' <${MAIL}>, key ${SECRET}`,
    card: CARD,
    customer: { [MAIL]: PERSON },
  },
}

async function textOf(path: string): Promise<string> {
  const names = await readdir(path)
  return (
    await Promise.all(names.map(async (name) => `${name}\n${await readFile(join(path, name), 'utf8')}`))
  ).join('\n')
}

describe('what a bundle holds', () => {
  test('no secret and no value of a row, in any of its files', async () => {
    const bundle = await writeFailureBundle(folder, await reportOf(configOf(await serve(DOWN))))
    const text = await textOf(bundle)
    for (const planted of PLANTED) expect(text, planted).not.toContain(planted)
  })

  test('what failed, how it was asked for and answered, and the columns', async () => {
    const url = await serve(DOWN)
    const path = await writeFailureBundle(folder, await reportOf(configOf(url)))
    const bundle = await readBundle(path)
    expect(bundle).toMatchObject({
      source: { name: 'shop', version: 3, from: 'shop', config: { url, region: 'eu' } },
      runId: 'run-1',
      failure: { class: 'source', code: 'shop_down', remedy: 'Wait.', retryAfterMs: 5_000 },
      table: { name: 'customers', primaryKey: ['mail'] },
      lakeColumns: [{ name: 'mail' }],
      read: {
        cursor: { is: 'withheld', shape: expect.stringContaining('e-mail') },
        incremental: null,
        limits: LIMITS,
      },
      error: {
        exchange: {
          request: {
            route: 'GET /customers',
            query: { after: expect.stringMatching(/^text\(\d+, e-mail\)$/) },
            headers: { authorization: expect.stringMatching(/^text/) },
          },
          response: {
            status: 503,
            headers: {
              'content-type': 'application/json',
              'x-request-id': 'req_1',
              'set-cookie': expect.stringMatching(/^text/),
            },
            body: { message: expect.stringMatching(/^text/), card: 'integer', customer: expect.any(Object) },
          },
        },
      },
      replay: `lakeduel source replay ${path}`,
    })
    expect(bundle.source.config).not.toHaveProperty('proxy')
    expect(bundle.error.chain[0]?.stack.join('\n')).toMatch(
      /readShop.*test\/pipeline\/sources\/failure-bundle\.test\.ts/,
    )
    expect(await readFile(join(path, 'README.md'), 'utf8')).toContain(bundle.replay)
  })

  test.each([
    ['nobody knows', new TypeError(`${PERSON} is not iterable\n    at ${MAIL} (/x/planted.ts:1:2)`)],
    [
      'an engine quotes',
      new LakeduelError('BATCH_INVALID', `Conversion Error: Could not convert ${PERSON}`, {
        facts: { value: MAIL },
      }),
    ],
    ['is caused by another', new Error(`outer ${PERSON}`, { cause: new Error(`inner ${MAIL} ${SECRET}`) })],
    ['is no error', { [MAIL]: PERSON, secret: SECRET }],
    ['is a text', `${PERSON} ${SECRET}`],
  ])('of an error that %s only its kind', async (_title, error) => {
    const report = { ...(await reportOf(configOf(await serve(DOWN)))), error }
    const text = await textOf(await writeFailureBundle(folder, report))
    for (const planted of PLANTED) expect(text, planted).not.toContain(planted)
    expect(text).toContain('is left out')
  })

  test('values where they were asked for, and still no secret', async () => {
    const text = await textOf(
      await writeFailureBundle(folder, await reportOf(configOf(await serve(DOWN)), true)),
    )
    for (const value of [PERSON, MAIL, String(CARD)]) expect(text).toContain(value)
    for (const secret of [SECRET, PASSWORD, encodeURIComponent(PASSWORD), 'session=planted'])
      expect(text).not.toContain(secret)
  })

  test('a cursor of numbers, moments and ids, or one that the source calls opaque', async () => {
    const report = await reportOf(configOf(await serve(DOWN)))
    const cursorOf = async (resume: Bundle['read'], definition: SourceDefinition = shop) => {
      const request = { ...report.request, resume: resume.cursor.is === 'shown' ? resume.cursor.value : null }
      return (await readBundle(await writeFailureBundle(folder, { ...report, definition, request }))).read
        .cursor
    }
    const shown = (value: z.core.util.JSONType) => ({
      incremental: null,
      limits: LIMITS,
      cursor: { is: 'shown' as const, value },
    })
    const plain = {
      columns: ['mail'],
      at: 7,
      when: '2026-01-02 03:04:05.678+00',
      id: '3d05b97b-11db-475a-8df1-2184d9fac149',
    }
    expect(await cursorOf(shown(plain))).toEqual({ is: 'shown', value: plain })
    expect(await cursorOf(shown({ after: ['Ada'] }))).toEqual({
      is: 'withheld',
      shape: { after: { items: 1, of: ['text(3)'] } },
    })
    expect(await cursorOf(shown('in_123'), { ...shop, opaqueCursors: true })).toEqual({
      is: 'shown',
      value: 'in_123',
    })
  })

  test('a mark is shown or withheld as a cursor is', async () => {
    const report = await reportOf(configOf(await serve(DOWN)))
    const request = { ...report.request, incremental: { field: 'mail', since: MAIL } }
    const path = await writeFailureBundle(folder, { ...report, request })
    expect((await readBundle(path)).read.incremental).toMatchObject({
      field: 'mail',
      since: { is: 'withheld' },
    })
    expect(await textOf(path)).not.toContain(MAIL)
  })

  test('what is withheld lies outside of the folder of the bundles, for its owner alone', async () => {
    const path = await writeFailureBundle(folder, await reportOf(configOf(await serve(DOWN))))
    expect(await readdir(folder)).toHaveLength(1)
    const [file = ''] = await readdir(join(root, 'home', 'failure-cursors'))
    const { mode } = await stat(join(root, 'home', 'failure-cursors', file))
    expect(mode & 0o077).toBe(0)
    expect(dirname(path)).toBe(folder)
  })
})

async function replayed(path: string, config: RawConfig, cursorFile: string | null = null) {
  return replay({
    bundle: await readBundle(path),
    folder: path,
    definition: shop,
    config,
    cursorFile,
    signal: new AbortController().signal,
  })
}

describe('a replay', () => {
  test('meets the failure again where nothing was mended', async () => {
    const config = configOf(await serve(DOWN))
    const path = await writeFailureBundle(folder, await reportOf(config))
    expect(await replayed(path, config)).toMatchObject({
      outcome: 'failure',
      same: true,
      failure: { code: 'shop_down' },
    })
  })

  test('shows the shape of the page that failed once it can be read', async () => {
    const path = await writeFailureBundle(folder, await reportOf(configOf(await serve(DOWN))))
    server?.close()
    const config = configOf(
      await serve({
        status: 200,
        body: [
          { mail: 'b@example.org', n: 1 },
          { mail: 'c', n: null },
        ],
      }),
    )
    const result = await replayed(path, config)
    expect(result).toEqual({
      outcome: 'page',
      page: { rows: 2, bytes: 22, columns: { mail: ['text', 'text(e-mail)'], n: ['integer', 'null'] } },
      changes: [],
    })
  })

  test('says so where the table ends, and where the source is not what it was', async () => {
    const path = await writeFailureBundle(folder, await reportOf(configOf(await serve(DOWN))))
    server?.close()
    const config = configOf(await serve({ status: 200, body: [] }))
    const definition = { ...shop, version: 4 }
    const bundle = await readBundle(path)
    const signal = new AbortController().signal
    expect(await replay({ bundle, folder: path, definition, config, cursorFile: null, signal })).toEqual({
      outcome: 'end',
      changes: ['the source is version 4; it failed as version 3'],
    })
  })

  test('of a bundle that was handed on takes the cursor from a file', async () => {
    const config = configOf(await serve(DOWN))
    const path = await writeFailureBundle(folder, await reportOf(config))
    const moved = join(root, 'elsewhere', 'bundle')
    await cp(path, moved, { recursive: true })
    await expect(replayed(moved, config)).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      remedy: expect.stringContaining('--cursor'),
    })
    const [file = ''] = await readdir(join(root, 'home', 'failure-cursors'))
    expect(await replayed(moved, config, join(root, 'home', 'failure-cursors', file))).toMatchObject({
      same: true,
    })
  })

  test('of a synthetic failure reads the page after the cursor', async () => {
    const config = {
      seed: 4_711,
      tables: [{ name: 'events', rows: 1_000, pageRows: 100, failures: [{ page: 3, class: 'system' }] }],
    }
    const source = await synthetic.open(parseSourceConfig(synthetic, config))
    const [table] = await source.discover()
    if (table === undefined) throw new Error('the source has no table')
    let resume: Page['cursor'] = null
    const request = {
      table,
      incremental: null,
      limits: LIMITS,
      signal: new AbortController().signal,
      parents: null,
    }
    const error = await (async () => {
      for await (const page of source.read({ ...request, resume })) resume = page.cursor
      return null
    })().catch((thrown: unknown) => thrown)
    const path = await writeFailureBundle(folder, {
      definition: synthetic,
      from: 'synthetic',
      config,
      runId: null,
      table,
      lakeColumns: [],
      request: { incremental: null, resume, limits: LIMITS },
      error,
      includeValues: false,
    })
    const bundle = await readBundle(path)
    expect(bundle.read.cursor).toEqual({ is: 'shown', value: { at: 200, pages: 2 } })
    const result = await replay({
      bundle,
      folder: path,
      definition: synthetic,
      config,
      cursorFile: null,
      signal: request.signal,
    })
    expect(result).toMatchObject({ outcome: 'page', page: { rows: 100 } })
  })
})

test('what is no bundle is told as that', async () => {
  await expect(readBundle(root)).rejects.toMatchObject({ code: 'CONFIG_INVALID' })
})

test('no shape holds a text, a number or an odd key of the value', () => {
  const value = fc.object({
    values: [
      fc.string({ minLength: 12 }),
      fc.integer({ min: 1_000_000 }),
      fc.date(),
      fc.constant(new DecimalText('98765.43')),
    ],
    key: fc.constantFrom('name', 'id', 'a_b', 'x@y.example', '4242424242'),
  })
  fc.assert(
    fc.property(value, (made) => {
      const text = JSON.stringify(shapeOf(made))
      for (const leaf of leavesOf(made)) expect(text).not.toContain(leaf)
      expect(text).not.toMatch(/x@y|4242424242|98765/)
    }),
    { numRuns: 200, seed: 1 },
  )
})

function leavesOf(value: unknown): readonly string[] {
  if (typeof value === 'string') return value.trim().length < 12 ? [] : [value]
  if (typeof value === 'number') return [String(value)]
  if (typeof value !== 'object' || value === null) return []
  return Object.values(value).flatMap(leavesOf)
}
