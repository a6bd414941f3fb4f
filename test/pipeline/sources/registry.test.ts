import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { gatherSourceConfig, parseSourceConfig, variableOf } from '../../../pipeline/sources/config.ts'
import { SOURCES, sourceNamed } from '../../../pipeline/sources/registry.ts'
import { secretsOf, withoutSecrets } from '../../../pipeline/sources/secrets.ts'
import type { SourceDefinition } from '../../../pipeline/sources/source.ts'
import { synthetic } from '../../../pipeline/sources/synthetic/index.ts'
import { LakeduelError } from '../../../platform/errors.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lakeduel-registry-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

const shop: SourceDefinition = {
  name: 'web-shop',
  title: 'A shop',
  version: 1,
  config: z.strictObject({
    apiKey: z.string().min(8),
    account: z.string().optional(),
    pageSize: z.int().default(10),
    retry: z.strictObject({ times: z.int(), waitMs: z.int() }).optional(),
    place: z
      .union([
        z.strictObject({ kind: z.literal('file'), path: z.string() }),
        z.strictObject({ kind: z.literal('url'), url: z.url() }),
      ])
      .optional(),
  }),
  secretKeys: ['apiKey'],
  errors: [],
  open: () => Promise.reject(new Error('not opened here')),
}

async function refusal(action: () => unknown): Promise<LakeduelError> {
  const error = await Promise.resolve()
    .then(action)
    .catch((thrown: unknown) => thrown)
  if (error instanceof LakeduelError) return error
  throw new Error(`expected a LakeduelError, got ${String(error)}`)
}

describe('names', () => {
  test('every source is registered by its own name', async () => {
    for (const name of Object.keys(SOURCES)) expect(await sourceNamed(name)).toMatchObject({ name })
  })

  test.each([
    ['synthetc', 'synthetic'],
    ['Synthetic', 'synthetic'],
  ])('an unknown name such as %s is answered with the nearest one', async (wrong, right) => {
    const error = await refusal(() => sourceNamed(wrong))
    expect(error.code).toBe('USAGE')
    expect(error.remedy).toContain(`"${right}"`)
  })

  test('names of an object’s own machinery name no source', async () => {
    expect(await refusal(() => sourceNamed('constructor'))).toMatchObject({ code: 'USAGE' })
    expect(await refusal(() => sourceNamed('__proto__'))).toMatchObject({ code: 'USAGE' })
  })
})

describe('a source by its path', () => {
  test.each(['default', 'source'])('a module that exports it as %s is loaded', async (exported) => {
    const path = join(folder, `as-${exported}.mjs`)
    const zod = import.meta.resolve('zod')
    const statement = exported === 'default' ? 'export default' : 'export const source ='
    await writeFile(
      path,
      `import { z } from '${zod}'
${statement} { name: 'mine', title: 'Mine', version: 1, config: z.strictObject({}), secretKeys: [], errors: [], open: async () => ({}) }`,
    )
    expect(await sourceNamed(path)).toMatchObject({ name: 'mine', version: 1 })
  })

  test.each([
    ['nothing.mjs', 'export const other = 1', /exports no source/],
    ['half.mjs', "export default { name: 'half' }", /is no source: title/],
    ['broken.mjs', 'export default {', /cannot be loaded/],
  ])('%s is refused with what is wrong with it', async (file, text, message) => {
    const path = join(folder, file)
    await writeFile(path, text)
    const error = await refusal(() => sourceNamed(path))
    expect(error.code).toBe('CONFIG_INVALID')
    expect(error.message).toMatch(message)
    expect(error.message).toContain(path)
  })

  test('a path without a source is named', async () => {
    expect(await refusal(() => sourceNamed(join(folder, 'missing')))).toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringContaining('missing'),
    })
  })
})

describe('settings', () => {
  test('an unknown setting is named with the nearest known one', async () => {
    const error = await refusal(() => parseSourceConfig(shop, { apiKey: 'sk_test_0123', pagesize: 3 }))
    expect(error).toMatchObject({ code: 'CONFIG_INVALID', remedy: "Did you mean 'pageSize'?" })
    expect(error.message).toContain('web-shop')
  })

  test('an unknown setting within another is told with its place', async () => {
    const error = await refusal(() =>
      parseSourceConfig(shop, { apiKey: 'sk_test_0123', retry: { times: 1, waitMS: 2 } }),
    )
    expect(error.message).toContain("'retry'")
    expect(error.remedy).toBe("Did you mean 'waitMs'?")
  })

  test('a missing setting is told with the ways to give it', async () => {
    const error = await refusal(() => parseSourceConfig(shop, { account: 'acme' }))
    expect(error.message).toContain("'apiKey'")
    expect(error.remedy).toContain('LAKEDUEL_SOURCE_WEB_SHOP_API_KEY')
  })

  test('a setting that is misspelt is told as that, and not as one that is missing', async () => {
    const error = await refusal(() => parseSourceConfig(shop, { apikey: 'sk_test_0123' }))
    expect(error.remedy).toBe("Did you mean 'apiKey'?")
  })

  test('a wrong value in one of several shapes is told by the shape that is nearest', async () => {
    const error = await refusal(() =>
      parseSourceConfig(shop, { apiKey: 'sk_test_0123', place: { kind: 'url', url: 'nowhere' } }),
    )
    expect(error.message).toContain("'place.url'")
  })

  test('the value of a secret shows neither in the message nor in the facts', async () => {
    const telling: SourceDefinition = {
      ...shop,
      config: z.strictObject({
        apiKey: z.string().refine(() => false, { error: (issue) => `no key: ${String(issue.input)}` }),
      }),
    }
    for (const definition of [shop, telling]) {
      const error = await refusal(() => parseSourceConfig(definition, { apiKey: 'hush-7' }))
      expect(`${error.message} ${error.remedy} ${JSON.stringify(error.facts)}`).not.toContain('hush-7')
    }
  })

  test('the command line ranks above the environment, and that above the file', async () => {
    const file = join(folder, 'shop.json')
    await writeFile(file, JSON.stringify({ apiKey: 'from-file', account: 'from-file', pageSize: 1 }))
    const env = {
      LAKEDUEL_SOURCE_WEB_SHOP_API_KEY: 'from-environment',
      LAKEDUEL_SOURCE_WEB_SHOP_PAGE_SIZE: '2',
    }
    const raw = await gatherSourceConfig(shop, { file, env, settings: ['pageSize=3'] })
    expect(raw).toEqual({ apiKey: 'from-environment', account: 'from-file', pageSize: 3 })
  })

  test('a text stays a text where the setting takes one, and becomes JSON where it does not', async () => {
    const settings = ['account=123', 'pageSize=5', 'retry={"times":1,"waitMs":2}', 'apiKey=a=b=c=d=e']
    expect(await gatherSourceConfig(shop, { settings })).toEqual({
      account: '123',
      pageSize: 5,
      retry: { times: 1, waitMs: 2 },
      apiKey: 'a=b=c=d=e',
    })
  })

  test('a setting without a value is refused without quoting it', async () => {
    const error = await refusal(() => gatherSourceConfig(shop, { settings: ['hush-7'] }))
    expect(error).toMatchObject({ code: 'USAGE' })
    expect(error.message).not.toContain('hush-7')
  })

  test('variables are named after the source and the setting', () => {
    expect(variableOf({ name: 'stripe' }, 'apiKey')).toBe('LAKEDUEL_SOURCE_STRIPE_API_KEY')
    expect(variableOf({ name: 'web-shop' }, 's3SecretAccessKey')).toBe(
      'LAKEDUEL_SOURCE_WEB_SHOP_S3_SECRET_ACCESS_KEY',
    )
  })

  test('what is stored of the settings holds no secret at any depth, and no password in a URL', () => {
    const config = {
      account: 'acme',
      apiKey: 'hush',
      inner: [{ apiKey: ['hush'], url: 'postgres://u:hush@db/x', host: 'http://db' }],
    }
    expect(withoutSecrets(shop, config)).toEqual({ account: 'acme', inner: [{ host: 'http://db' }] })
    expect(secretsOf(shop, { ...config, inner: [{ url: 'postgres://u:h%20ush@db/x' }] })).toEqual([
      'hush',
      'h%20ush',
      'h ush',
    ])
  })

  test('the synthetic source needs no settings', () => {
    expect(parseSourceConfig(synthetic, {}).tables).toHaveLength(1)
  })
})
