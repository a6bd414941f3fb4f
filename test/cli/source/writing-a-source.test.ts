import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer, type IncomingMessage, type Server } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { z } from 'zod'
import { CONTRACT } from '../../../pipeline/sources/contract/contract.ts'
import { lakeduel } from '../lakeduel.ts'

const PAGE = 'docs/writing-a-source.md'

let folder: string
let server: Server
let url: string

/** The API that the example speaks to, with 1,000 orders of which some are wide. */
const ORDERS = Array.from({ length: 1_000 }, (_, index) => ({
  id: index + 1,
  updated_at: new Date(Date.UTC(2026, 0, 1, 0, (index * 7) % 1_000)).toISOString(),
  note: 'n'.repeat(index % 10 === 0 ? 20_000 : 20),
}))

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lakeduel-writing-'))
  server = createServer((request, response) => {
    const { status, body } = answer(request)
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
  }).listen(0, '127.0.0.1')
  const listening = Promise.withResolvers<undefined>()
  server.once('listening', () => listening.resolve(undefined))
  await listening.promise
  url = `http://127.0.0.1:${z.object({ port: z.int() }).parse(server.address()).port}`
})
afterAll(async () => {
  server.close()
  await rm(folder, { recursive: true, force: true })
})

function answer(request: IncomingMessage): { readonly status: number; readonly body: unknown } {
  if (request.headers.authorization !== 'Bearer a-good-key')
    return { status: 401, body: { error: 'no such key' } }
  const query = new URL(request.url ?? '', url).searchParams
  const since = query.get('updated_since') ?? ''
  const sorted = ORDERS.toSorted((a, b) =>
    query.get('sort') === 'updated_at'
      ? a.updated_at.localeCompare(b.updated_at) || a.id - b.id
      : a.id - b.id,
  ).filter((order) => order.updated_at >= since)
  const from = query.has('after') ? sorted.findIndex(({ id }) => id === Number(query.get('after'))) + 1 : 0
  const orders = sorted.slice(from, from + Number(query.get('limit')))
  return { status: 200, body: { orders, has_more: from + orders.length < sorted.length } }
}

async function example(): Promise<string> {
  const [, code = ''] = /```ts\n(.*?)```/s.exec(await readFile(PAGE, 'utf8')) ?? []
  const path = join(folder, 'orders-api')
  await mkdir(path, { recursive: true })
  await writeFile(
    join(path, 'index.ts'),
    code.replace("'../pipeline/sources/kit.ts'", `'${join(process.cwd(), 'pipeline/sources/kit.ts')}'`),
  )
  return path
}

test('the example of the page keeps the contract, against a real server', async () => {
  const env = { LAKEDUEL_SOURCE_ORDERS_API_API_KEY: 'a-good-key' }
  const { stdout, stderr, exitCode } = await lakeduel(
    ['source', 'test', await example(), '--set', `url=${url}`, '--json'],
    env,
  )
  const { counts, results } = z
    .object({
      counts: z.object({ fail: z.int() }),
      results: z.array(
        z.object({
          check: z.string(),
          findings: z.array(z.object({ status: z.string(), reason: z.string() })),
        }),
      ),
    })
    .parse(JSON.parse(stdout))
  expect(
    results
      .flatMap(({ check, findings }) => findings.map(({ status, reason }) => `${check}: ${status} ${reason}`))
      .filter((line) => !line.includes(': pass ')),
  ).toEqual([])
  expect({ fail: counts.fail, exitCode, stderr }).toEqual({ fail: 0, exitCode: 0, stderr: '' })
})

test('the example of the page is refused with a wrong key, in its own words', async () => {
  const env = { LAKEDUEL_SOURCE_ORDERS_API_API_KEY: 'a-bad-key' }
  const { stdout, exitCode } = await lakeduel(['source', 'test', await example(), '--set', `url=${url}`], env)
  expect(exitCode).toBe(1)
  expect(stdout).toContain('key_refused')
  expect(stdout).not.toContain('a-bad-key')
})

test('the page names every check of the contract as it is', async () => {
  const page = await readFile(PAGE, 'utf8')
  for (const { name, title } of CONTRACT) expect(page).toContain(`| \`${name}\` | ${title} |`)
})
