import { expect, test } from 'vitest'
import { z } from 'zod'
import { CONTRACT, runCheck } from '../../../pipeline/sources/contract/contract.ts'
import { type ContractOptions, ContractSubject } from '../../../pipeline/sources/contract/subject.ts'
import type {
  Page,
  ReadRequest,
  Row,
  Source,
  SourceDefinition,
  SourceTable,
} from '../../../pipeline/sources/source.ts'
import { synthetic } from '../../../pipeline/sources/synthetic/index.ts'

/**
 * A source of 100 numbered rows that is right in all respects; each test changes one of them, and the check that names it
 * must fail, and no other that isn't told.
 */
const TABLE: SourceTable = {
  name: 'numbers',
  columns: [
    { name: 'id', type: { kind: 'int32' }, nullable: false },
    { name: 'seen_at', type: { kind: 'int64' }, nullable: false },
    { name: 'text', type: { kind: 'string' }, nullable: false },
  ],
  primaryKey: ['id'],
  incremental: [{ name: 'seen_at', order: 'ascending' }],
  partition: null,
  parent: null,
  keysOnce: true,
  pagesAreDear: false,
  estimatedRows: 100,
}
const ROWS: readonly Row[] = Array.from({ length: 100 }, (_, index) => ({
  id: index,
  seen_at: 1_700_000_000 + Math.floor(index / 3),
  text: 'x'.repeat(100),
}))
const PAGE_ROWS = 10

interface Faults {
  readonly definition?: Partial<SourceDefinition>
  readonly tables?: (look: number) => readonly SourceTable[]
  readonly rows?: (request: ReadRequest, look: number) => readonly Row[]
  readonly page?: (page: Page, at: number, request: ReadRequest) => Page
  readonly start?: (resume: number) => number
  readonly since?: () => number
  readonly ignoresLimits?: boolean
  readonly ignoresAbort?: boolean
  readonly acceptsAnyKey?: boolean
  readonly refusal?: (key: string) => Error
}

class Refused extends Error {}

let looks = 0

function sourceOf(faults: Faults): SourceDefinition {
  return {
    name: 'numbers',
    title: 'Numbers',
    version: 1,
    config: z.strictObject({ apiKey: z.string() }),
    secretKeys: ['apiKey'],
    errors: [
      {
        code: 'key_refused',
        class: 'user',
        matches: (error) => error instanceof Refused,
        message: () => 'The key is refused.',
        remedy: 'Give another key.',
        examples: () => [new Refused('no')],
      },
    ],
    open: async (config) => open(z.object({ apiKey: z.string() }).parse(config).apiKey, faults),
    ...faults.definition,
  }
}

function open(key: string, faults: Faults): Source {
  const { tables = () => [TABLE], acceptsAnyKey = false, refusal = () => new Refused('no') } = faults
  looks += 1
  const look = looks
  return {
    checkCredentials: async () => {
      if (key !== 'a-good-key' && !acceptsAnyKey) throw refusal(key)
    },
    discover: async () => tables(look),
    read: (request) => read(request, faults, look),
    [Symbol.asyncDispose]: async () => undefined,
  }
}

async function* read(request: ReadRequest, faults: Faults, look: number): AsyncIterable<Page> {
  const { rows = () => ROWS, page = (made: Page) => made, start = (at: number) => at } = faults
  const { incremental, limits, signal } = request
  const { field = '', since = null } = incremental ?? {}
  const all = rows(request, look).filter(
    (row) => since === null || Number(row[field]) >= (faults.since?.() ?? Number(since)),
  )
  const size = faults.ignoresLimits
    ? PAGE_ROWS
    : Math.min(PAGE_ROWS, limits.pageRows, Math.max(1, Math.floor(limits.readAheadBytes / 120)))
  let at = request.resume === null ? 0 : start(Number(request.resume))
  while (at < all.length) {
    if (!faults.ignoresAbort) signal.throwIfAborted()
    const taken = all.slice(at, at + size)
    at += taken.length
    const mark = Number(taken.at(-1)?.[field])
    yield page({ rows: taken, cursor: at, ...(incremental === null ? {} : { mark }) }, at, request)
  }
  if (!faults.ignoresAbort) signal.throwIfAborted()
}

async function verdicts(
  definition: SourceDefinition,
  options: Partial<ContractOptions> = {},
): Promise<Readonly<Record<string, string>>> {
  const subject = new ContractSubject(
    definition,
    { apiKey: 'a-good-key' },
    { readAheadBytes: 2_000, pageRows: 50, abortMs: 200, pageTimeoutMs: 500, ...options },
  )
  const found: Record<string, string> = {}
  for (const check of CONTRACT) {
    const findings = await runCheck(check, subject)
    found[check.name] = (findings.find(({ status }) => status !== 'pass') ?? findings[0])?.status ?? 'nothing'
  }
  return found
}

async function failed(faults: Faults, options: Partial<ContractOptions> = {}): Promise<readonly string[]> {
  const found = await verdicts(sourceOf(faults), options)
  return Object.keys(found).filter((name) => found[name] === 'fail')
}

test('a source without a fault passes every check, none being skipped', async () => {
  expect(new Set(Object.values(await verdicts(sourceOf({}))))).toEqual(new Set(['pass']))
})

function withTable(changes: Partial<SourceTable>): Faults {
  return { tables: () => [{ ...TABLE, ...changes }] }
}
function withRow(place: number, changes: Row): Faults {
  return { rows: () => ROWS.map((row, index) => (index === place ? { ...row, ...changes } : row)) }
}
const rule = sourceOf({}).errors[0]

const CASES: readonly (readonly [title: string, faults: Faults, failing: readonly string[]])[] = [
  ['a name that no folder could have', { definition: { name: 'Numbers!' } }, ['definition']],
  ['a secret that is no setting', { definition: { secretKeys: ['apiKey', 'token'] } }, ['definition']],
  ['a table that is there twice', { tables: () => [TABLE, TABLE] }, ['discovery']],
  ['a key that is no column', withTable({ primaryKey: ['uuid'] }), ['discovery', 'rows', 'keys']],
  [
    'a parent that is no table',
    withTable({ parent: { table: 'letters', columns: [], recencyColumn: null, minStoredRows: 1 } }),
    ['discovery'],
  ],
  [
    'another answer at every discovery',
    { tables: (look) => [{ ...TABLE, primaryKey: look % 2 ? ['id'] : [] }] },
    ['discovery'],
  ],
  ['no tables', { tables: () => [] }, ['discovery']],
  ['a wrong key that is accepted', { acceptsAnyKey: true }, ['wrong-credentials']],
  ['a wrong key that is nobody’s fault', { refusal: () => new Error('no') }, ['wrong-credentials']],
  [
    'a message that quotes the key',
    {
      definition: {
        errors: [
          {
            code: 'key_refused',
            class: 'user',
            matches: (error) => error instanceof Refused,
            message: (error) => String(error),
            remedy: 'Give another.',
          },
        ],
      },
      refusal: (key) => new Refused(`no ${key}`),
    },
    ['wrong-credentials'],
  ],
  [
    'a line of the error table that an earlier one hides',
    {
      definition: {
        errors: [
          {
            code: 'any',
            class: 'source',
            matches: (error) => error instanceof Refused,
            message: () => 'any',
            remedy: 'Wait.',
          },
          ...(rule === undefined ? [] : [rule]),
        ],
      },
    },
    ['error-table', 'wrong-credentials'],
  ],
  [
    'a line that takes every error',
    {
      definition: {
        errors: [
          ...(rule === undefined ? [] : [rule]),
          { code: 'any', class: 'source', matches: () => true, message: () => 'any', remedy: 'Wait.' },
        ],
      },
    },
    ['unknown-errors'],
  ],
  [
    'a line without advice',
    { definition: { errors: rule === undefined ? [] : [{ ...rule, remedy: '' }] } },
    ['error-table'],
  ],
  [
    'a remedy with the key in it',
    { definition: { errors: rule === undefined ? [] : [{ ...rule, remedy: 'Use a-good-key.' }] } },
    ['secret-messages'],
  ],
  [
    'a page with more rows than asked for',
    { page: (page, at) => (at === 30 ? { ...page, rows: ROWS } : page) },
    ['paging', 'keys', 'byte-bound', 'incremental', 'declared-order'],
  ],
  [
    'a cursor that stays',
    { page: (page, at) => ({ ...page, cursor: Math.min(at, 50) }) },
    ['cursors', 'resume'],
  ],
  [
    'a cursor that is no JSON',
    { page: (page) => ({ ...page, cursor: Number(page.cursor) === 40 ? Number.NaN : page.cursor }) },
    ['cursors', 'resume'],
  ],
  [
    'a huge cursor',
    { page: (page) => ({ ...page, cursor: `${JSON.stringify(page.cursor)}${' '.repeat(100_000)}` }) },
    ['cursors'],
  ],
  ['a value of no kind', withRow(7, { text: new Map() }), ['rows']],
  ['a date that is none', withRow(7, { text: new Date(Number.NaN) }), ['rows']],
  ['a column that was not declared', withRow(7, { extra: 1 }), ['rows']],
  ['a key that comes twice', withRow(7, { id: 3 }), ['keys']],
  [
    'another order at every look',
    { rows: (_, look) => [...ROWS.slice(look % 90), ...ROWS.slice(0, look % 90)] },
    ['stable-order', 'resume', 'declared-order', 'incremental', 'byte-bound'],
  ],
  ['a row less after a resume', { start: (at) => (at > 30 ? at + 1 : at) }, ['resume']],
  ['a row twice after a resume', { start: (at) => (at > 30 ? at - 1 : at) }, ['resume']],
  [
    'an order that is not as declared',
    withTable({ incremental: [{ name: 'seen_at', order: 'descending' }] }),
    ['declared-order'],
  ],
  ['no mark', { page: ({ mark: _mark, ...page }) => page }, ['incremental']],
  [
    'a mark that runs ahead',
    { page: (page) => (page.mark === undefined ? page : { ...page, mark: Number(page.mark) + 5 }) },
    ['incremental'],
  ],
  [
    'older rows than the mark',
    {
      rows: ({ incremental }) =>
        ROWS.map((row) => (incremental?.since == null ? row : { ...row, seen_at: 1_700_000_000, id: 1 })),
      since: () => 0,
    },
    ['incremental'],
  ],
  ['pages of any size', { ignoresLimits: true, page: (page) => ({ ...page, bytes: 5_000 }) }, ['byte-bound']],
  ['bytes that are more than allowed', { page: (page) => ({ ...page, bytes: 5_000 }) }, ['byte-bound']],
  ['a read that nothing stops', { ignoresAbort: true }, ['abort']],
]

test.each(CASES)('%s is found', async (_title, faults, failing) => {
  expect((await failed(faults)).toSorted()).toEqual(failing.toSorted())
})

test('a source that hangs is found, and does not hold up the checks', async () => {
  const hanging: SourceDefinition = {
    ...sourceOf({}),
    open: async () => ({
      ...open('a-good-key', {}),
      read: () => ({ [Symbol.asyncIterator]: () => ({ next: () => new Promise(() => undefined) }) }),
    }),
  }
  const found = await verdicts(hanging)
  expect(found).toMatchObject({ paging: 'fail', abort: 'fail', discovery: 'pass' })
})

test('a source that cannot be opened fails with what its error table says', async () => {
  const subject = new ContractSubject(
    { ...sourceOf({}), open: () => Promise.reject(new Refused('no')) },
    { apiKey: 'k' },
  )
  const credentials = CONTRACT.find(({ name }) => name === 'credentials')
  if (credentials === undefined) throw new Error('there is a check of that name')
  expect(await runCheck(credentials, subject)).toMatchObject([
    { status: 'fail', reason: expect.stringContaining('key_refused') },
  ])
})

test('of a large table a part is read, and a seeded choice of cursors tried', async () => {
  const config = { tables: [{ name: 'large', rows: 1_000_000, pageRows: 100, columns: ['int32'] }] }
  const subject = new ContractSubject(synthetic, config, { maxRows: 20_000, cursors: 10 })
  const found = new Map<string, string>()
  for (const check of CONTRACT) {
    for (const { status, reason } of await runCheck(check, subject))
      found.set(check.name, `${status}: ${reason}`)
  }
  expect(found.get('paging')).toContain('skip: it goes on after 20000 rows')
  expect(found.get('resume')).toBe('pass: from 10 of 200 cursors')
  expect([...found.values()].filter((text) => text.startsWith('fail'))).toEqual([])
})

test('only the tables that were asked for are looked at', async () => {
  const config = {
    tables: [
      { name: 'one', rows: 1 },
      { name: 'two', rows: 1 },
    ],
  }
  const subject = new ContractSubject(synthetic, config, { tables: ['two'] })
  expect((await subject.tables()).map(({ name }) => name)).toEqual(['two'])
  const discovery = CONTRACT.find(({ name }) => name === 'discovery')
  if (discovery === undefined) throw new Error('there is a check of that name')
  const none = new ContractSubject(synthetic, config, { tables: ['three'] })
  expect(await runCheck(discovery, none)).toMatchObject([
    { status: 'fail', values: { tables: ['one', 'two'] } },
  ])
})
