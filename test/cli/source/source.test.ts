import { access, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execa } from 'execa'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { parseSourceConfig } from '../../../pipeline/sources/config.ts'
import { writeFailureBundle } from '../../../pipeline/sources/failure-bundle/write.ts'
import { SOURCES } from '../../../pipeline/sources/registry.ts'
import type { Cursor } from '../../../pipeline/sources/source.ts'
import { synthetic } from '../../../pipeline/sources/synthetic/index.ts'
import { lakeduel } from '../lakeduel.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lakeduel-source-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

const NO_VARIABLES = {}

describe('lakeduel source list', () => {
  test('names every source with its settings, and marks the secrets', async () => {
    const { stdout, exitCode } = await lakeduel(['source', 'list', '--json'], NO_VARIABLES)
    const settingSchema = z.object({ key: z.string(), secret: z.boolean(), variable: z.string() })
    const { sources } = z
      .object({ sources: z.array(z.object({ name: z.string(), settings: z.array(settingSchema) })) })
      .parse(JSON.parse(stdout))
    expect(exitCode).toBe(0)
    expect(sources.map(({ name }) => name)).toEqual(Object.keys(SOURCES))
    expect(sources.find(({ name }) => name === 'stripe')?.settings).toContainEqual({
      key: 'apiKey',
      secret: true,
      variable: 'LAKEDUEL_SOURCE_STRIPE_API_KEY',
    })
    const { stdout: text } = await lakeduel(['source', 'list'], NO_VARIABLES)
    expect(text).toContain('apiKey*')
  })
})

describe('lakeduel source new', () => {
  test('makes a source that keeps the contract as it is, by the command and by its own test', async () => {
    const made = await lakeduel(['source', 'new', 'web-shop', '--into', folder, '--json'], NO_VARIABLES)
    expect(made.exitCode).toBe(0)
    const path = join(folder, 'web-shop')
    const { stdout, exitCode } = await lakeduel(
      ['source', 'test', path, '--set', 'apiKey=demo-key'],
      NO_VARIABLES,
    )
    expect(stdout).toContain('web-shop keeps the contract')
    expect(stdout).not.toContain('✗')
    expect(exitCode).toBe(0)
    const own = await execa(process.execPath, ['--test', 'source.test.ts'], { cwd: path, reject: false })
    expect(own.stdout).toMatch(/fail 0/)
    expect(own.exitCode).toBe(0)
  })

  test('leaves no trace of the template’s own name', async () => {
    await lakeduel(['source', 'new', 'crm-2', '--into', folder], NO_VARIABLES)
    const path = join(folder, 'crm-2')
    const files = await readdir(path)
    expect(files).toEqual(['config.ts', 'errors.ts', 'index.ts', 'read.ts', 'service.ts', 'source.test.ts'])
    const texts = await Promise.all(files.map((file) => readFile(join(path, file), 'utf8')))
    expect(texts.join('\n')).not.toMatch(/my-?_?source/i)
    expect(texts.join('\n')).toContain('export default crm2')
  })

  test.each([
    ['Web_Shop', 'lower-case words'],
    ['../escape', 'lower-case words'],
    ['stripe', 'another name'],
    ['twice', 'another name'],
  ])('refuses the name %s', async (name, advice) => {
    if (name === 'twice') await lakeduel(['source', 'new', name, '--into', folder], NO_VARIABLES)
    const { stderr, exitCode } = await lakeduel(['source', 'new', name, '--into', folder], NO_VARIABLES)
    expect(exitCode).toBe(2)
    expect(stderr.toLowerCase()).toContain(advice)
    await expect(access(join(folder, '..', 'escape'))).rejects.toThrow('ENOENT')
  })
})

describe('lakeduel source test', () => {
  test('tells what fails, with the place, and ends with 1', async () => {
    await lakeduel(['source', 'new', 'broken', '--into', folder], NO_VARIABLES)
    const file = join(folder, 'broken', 'read.ts')
    await writeFile(
      file,
      (await readFile(file, 'utf8')).replace(
        'const cursor: Cursor = { ...place }',
        "const cursor: Cursor = { id: 'item_0007', updatedAt: place.updatedAt }",
      ),
    )
    const { stdout, exitCode } = await lakeduel(
      ['source', 'test', join(folder, 'broken'), '--json'],
      NO_VARIABLES,
    )
    const { results } = z
      .object({
        results: z.array(
          z.object({ check: z.string(), findings: z.array(z.object({ status: z.string() })) }),
        ),
      })
      .parse(JSON.parse(stdout))
    const failed = results
      .filter(({ findings }) => findings.some(({ status }) => status === 'fail'))
      .map(({ check }) => check)
    expect(failed).toContain('resume')
    expect(exitCode).toBe(1)
  })

  test('takes settings from a file and the environment, and only the tables asked for', async () => {
    const file = join(folder, 'synthetic.json')
    await writeFile(
      file,
      JSON.stringify({
        tables: [
          { name: 'one', rows: 10 },
          { name: 'two', rows: 10 },
        ],
      }),
    )
    const { stdout, exitCode } = await lakeduel(
      ['source', 'test', 'synthetic', '--config', file, '--table', 'two'],
      { LAKEDUEL_SOURCE_SYNTHETIC_SEED: '3' },
    )
    expect(exitCode).toBe(0)
    expect(stdout).toContain('two: 10 rows in 1 pages')
    expect(stdout).not.toContain('one: ')
  })

  test('a setting that is misspelt ends with 2 and the nearest one', async () => {
    const { stderr, exitCode } = await lakeduel(
      ['source', 'test', 'synthetic', '--set', 'seeed=3'],
      NO_VARIABLES,
    )
    expect(exitCode).toBe(2)
    expect(stderr).toContain("Did you mean 'seed'?")
  })

  test('a secret shows nowhere, not even where it is wrong', async () => {
    const { stdout, stderr, exitCode } = await lakeduel(
      ['source', 'test', 'synthetic', '--set', 'password=hush-hush'],
      NO_VARIABLES,
    )
    expect(exitCode).toBe(1)
    expect(stdout).toContain('wrong_password')
    expect(stdout + stderr).not.toContain('hush-hush')
  })
})

describe('lakeduel source replay', () => {
  test('fails as it did where nothing was mended', async () => {
    const { stdout, exitCode } = await lakeduel(['source', 'replay', await bundleOf(5)], NO_VARIABLES)
    expect(exitCode).toBe(1)
    expect(stdout).toContain('It fails as it did: rate_limited, of class source.')
  })

  test('prints the shape of the page once it can be read, by the command that the bundle names', async () => {
    const path = await bundleOf(5)
    const { replay } = z
      .object({ replay: z.string() })
      .parse(JSON.parse(await readFile(join(path, 'bundle.json'), 'utf8')))
    const mended = join(folder, 'mended.json')
    await writeFile(
      mended,
      JSON.stringify({ tables: [{ name: 'events', rows: 300, pageRows: 100, columns: ['string'] }] }),
    )
    const [, ...args] = replay.split(' ')
    const { stdout, exitCode } = await lakeduel([...args, '--config', mended], NO_VARIABLES)
    expect(exitCode).toBe(0)
    expect(stdout).toMatch(/100 rows, about \d+ bytes:/)
    expect(stdout).toMatch(/string_1\s+null \| text/)
    const json = await lakeduel([...args, '--config', mended, '--json'], NO_VARIABLES)
    expect(JSON.parse(json.stdout)).toMatchObject({
      outcome: 'page',
      page: { rows: 100, columns: { id: ['integer'] } },
    })
  })

  test('of what is no bundle ends with 2', async () => {
    const { stderr, exitCode } = await lakeduel(['source', 'replay', folder], NO_VARIABLES)
    expect(exitCode).toBe(2)
    expect(stderr).toContain('holds no failure bundle')
  })
})

/** A bundle of a page that fails as often as asked for in each process. */
async function bundleOf(times: number): Promise<string> {
  const config = {
    seed: 77,
    tables: [
      {
        name: 'events',
        rows: 300,
        pageRows: 100,
        columns: ['string'],
        failures: [{ page: 2, class: 'source', times }],
      },
    ],
  }
  const source = await synthetic.open(parseSourceConfig(synthetic, config))
  const [table] = await source.discover()
  if (table === undefined) throw new Error('the source has no table')
  const limits = { readAheadBytes: 1_000_000, pageRows: 1_000, maxRowBytes: Number.MAX_SAFE_INTEGER }
  let resume: Cursor = null
  const error = await (async () => {
    const request = {
      table,
      incremental: null,
      resume,
      limits,
      signal: new AbortController().signal,
      parents: null,
    }
    for await (const page of source.read(request)) resume = page.cursor
    return null
  })().catch((thrown: unknown) => thrown)
  const request = { incremental: null, resume, limits }
  return writeFailureBundle(join(folder, 'failures'), {
    definition: synthetic,
    from: 'synthetic',
    config,
    runId: null,
    table,
    lakeColumns: [],
    request,
    error,
    includeValues: false,
  })
}
