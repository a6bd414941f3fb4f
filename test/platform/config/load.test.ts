import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { loadConfig } from '../../../platform/config/load.ts'

const KEYS = { AWS_ACCESS_KEY_ID: 'key', AWS_SECRET_ACCESS_KEY: 'hush-hush' }
let cwd = ''

beforeEach(async () => {
  cwd = await mkdtemp(join(tmpdir(), 'lakeduel-config-'))
})
afterEach(() => rm(cwd, { recursive: true }))

function writeConfig(content: unknown): Promise<void> {
  return writeFile(join(cwd, 'lakeduel.config.json'), JSON.stringify(content))
}

describe('loadConfig', () => {
  it('leaves both services to lakeduel when nothing is configured', async () => {
    expect(await loadConfig({ env: {}, cwd })).toMatchObject({ storage: 's3', s3: null, postgres: null })
  })

  it('ranks flags over the environment, and the environment over the file', async () => {
    await writeConfig({ localRoot: '/of-the-file', docker: 'never', storage: 'local' })
    const env = { LAKEDUEL_LOCAL_ROOT: '/of-the-environment', LAKEDUEL_STORAGE: 's3' }
    const config = await loadConfig({ env, cwd, flags: { storage: 'local' } })
    expect(config).toMatchObject({ localRoot: '/of-the-environment', docker: 'never', storage: 'local' })
  })

  it('does not let AWS keys alone lead a benchmark to a real account', async () => {
    expect((await loadConfig({ env: { ...KEYS, AWS_REGION: 'eu-west-1' }, cwd })).s3).toBeNull()
  })

  it('takes the standard AWS and Postgres variables, LAKEDUEL_* before them', async () => {
    const env = {
      ...KEYS,
      AWS_ENDPOINT_URL: 'http://a:1',
      LAKEDUEL_S3_ENDPOINT: 'http://b:2/',
      PGHOST: 'db',
      PGUSER: 'me',
    }
    const { s3, postgres } = await loadConfig({ env, cwd })
    expect(s3).toMatchObject({ url: 'http://b:2', urlStyle: 'path', accessKeyId: 'key' })
    expect(postgres).toMatchObject({ host: 'db', port: 5432, user: 'me', database: 'me' })
  })

  it('mixes no PG* variable of another server into LAKEDUEL_POSTGRES', async () => {
    const env = {
      PGHOST: 'other',
      PGPORT: '1',
      PGPASSWORD: 'p',
      LAKEDUEL_POSTGRES: 'postgresql://u:a%40b@db:5433/lake?sslmode=require',
    }
    const { postgres } = await loadConfig({ env, cwd })
    expect(postgres).toEqual({
      host: 'db',
      port: 5433,
      user: 'u',
      password: 'a@b',
      database: 'lake',
      sslmode: 'require',
    })
  })

  it('uses a bucket without an endpoint on AWS, in the style that AWS wants', async () => {
    const { s3 } = await loadConfig({
      env: { ...KEYS, LAKEDUEL_S3_BUCKET: 'mine', LAKEDUEL_S3_PREFIX: '/a/b' },
      cwd,
    })
    expect(s3).toMatchObject({ url: 'https://s3.us-east-1.amazonaws.com', urlStyle: 'vhost', prefix: 'a/b/' })
  })

  it.each([
    ['an unknown key of the file', { s3: { endpont: 'http://a' } }, {}, "Did you mean 's3.endpoint'?"],
    ['an unknown variable', {}, { LAKEDUEL_POSTGRESS: 'x' }, "Did you mean 'LAKEDUEL_POSTGRES'?"],
  ])('names the nearest key for %s', async (_, file, env, remedy) => {
    await writeConfig(file)
    await expect(loadConfig({ env, cwd })).rejects.toMatchObject({ code: 'CONFIG_INVALID', remedy })
  })

  it('names the setting and its source for a bad value, and never tells a secret', async () => {
    const env = {
      ...KEYS,
      LAKEDUEL_S3_ENDPOINT: 'ftp://a',
      LAKEDUEL_POSTGRES: 'postgresql://u:hush-hush@db/lake',
    }
    const error = await loadConfig({ env, cwd }).catch((reason: unknown) => reason)
    expect(error).toMatchObject({ code: 'CONFIG_INVALID', facts: { key: 's3.endpoint' } })
    expect(String(error)).toContain('LAKEDUEL_S3_ENDPOINT')
    expect(JSON.stringify([String(error), error])).not.toContain('hush-hush')
  })

  it('refuses a file that is no JSON without quoting it', async () => {
    await writeFile(join(cwd, 'lakeduel.config.json'), '{"postgres": {"password": "hush-hush" "}')
    const error = await loadConfig({ env: {}, cwd }).catch((reason: unknown) => reason)
    expect(error).toMatchObject({ code: 'CONFIG_INVALID' })
    expect(JSON.stringify([String(error), error])).not.toContain('hush-hush')
  })

  it('refuses an endpoint without credentials, and a config file that does not exist', async () => {
    const env = { LAKEDUEL_S3_ENDPOINT: 'http://a:1' }
    await expect(loadConfig({ env, cwd })).rejects.toMatchObject({ code: 'CONFIG_INVALID' })
    await expect(loadConfig({ env: {}, cwd, configFile: 'none.json' })).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
    })
  })
})
