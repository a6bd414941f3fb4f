import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { loadConfig } from '../../platform/config/load.ts'
import { diagnose } from '../../platform/doctor.ts'

let home = ''
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'lakeduel-doctor-'))
})
afterEach(async () => {
  vi.unstubAllEnvs()
  await rm(home, { recursive: true })
})

async function statuses(env: NodeJS.ProcessEnv): Promise<Readonly<Record<string, string>>> {
  const config = await loadConfig({
    env: { LAKEDUEL_HOME: home, LAKEDUEL_DOCKER: 'never', ...env },
    cwd: home,
  })
  const checks = await diagnose(config, new AbortController().signal)
  return Object.fromEntries(
    checks.map(({ part, status, advice }) => [part, advice === null ? status : `${status}, with advice`]),
  )
}

it('on a bare machine, Python and the object store are missing and the rest is there or will be made', async () => {
  vi.stubEnv('PATH', home)
  vi.stubEnv('PYENV_ROOT', home)
  expect(await statuses({})).toMatchObject({
    DuckDB: 'ok',
    'DuckDB extensions': 'set-up',
    Python: 'missing, with advice',
    'object store': 'missing, with advice',
    Postgres: 'ok',
  })
})

it('with local storage no object store is needed', async () => {
  vi.stubEnv('PATH', home)
  expect(await statuses({ LAKEDUEL_STORAGE: 'local' })).toMatchObject({ 'object store': 'ok' })
})

it('a configured service that is down is missing, and looking makes nothing', async () => {
  const down = {
    LAKEDUEL_S3_ENDPOINT: 'http://127.0.0.1:1',
    AWS_ACCESS_KEY_ID: 'a',
    AWS_SECRET_ACCESS_KEY: 'b',
    LAKEDUEL_POSTGRES: 'postgresql://u:p@127.0.0.1:1/db',
  }
  expect(await statuses(down)).toMatchObject({
    'object store': 'missing, with advice',
    Postgres: 'missing, with advice',
  })
  expect(await readdir(home)).toEqual([])
})
