import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, inject, test, vi } from 'vitest'
import { appendToS3Object } from '../../cli/results/s3-object.ts'
import { openObjectStore } from '../../platform/storage/object-store.ts'
import { oneRequestMore } from '../reports/compare/made-up-pairs.ts'
import { lakeduel, serviceVariables } from './lakeduel.ts'
import { expectBothReplacements } from './replacements.ts'

const { s3: endpoint, bucket, prefix } = inject('services')
const store = openObjectStore({ kind: 's3', endpoint, bucket, prefix })
const ADDRESS = `s3://${bucket}/${prefix}gate/baseline.json`

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lakeduel-gate-s3-'))
  const [before, after] = oneRequestMore()
  await writeFile(join(folder, 'before.json'), JSON.stringify(before))
  await writeFile(join(folder, 'after.json'), JSON.stringify(after))
})
afterAll(async () => {
  await store.deletePrefix('gate/')
  await store[Symbol.asyncDispose]()
  await rm(folder, { recursive: true, force: true })
})

async function gate(args: readonly string[], baseline = ADDRESS, env = serviceVariables()) {
  const config = join(folder, 'lakeduel.gate.json')
  await writeFile(config, JSON.stringify({ baseline }))
  const { exitCode, stdout, stderr } = await lakeduel(['gate', ...args, '--config', config], {
    ...env,
    GITHUB_STEP_SUMMARY: '',
  })
  return { exitCode, said: stdout + stderr }
}

test('a baseline in an object store is recorded, judged by, and replaced with its reason', async () => {
  const [before, after] = [join(folder, 'before.json'), join(folder, 'after.json')]
  const absent = await gate([before])
  expect(absent).toMatchObject({
    exitCode: 4,
    said: expect.stringContaining(`no readable results at ${ADDRESS}`),
  })
  expect(await gate(['baseline', before, '--reason', 'the first one'])).toMatchObject({ exitCode: 0 })
  expect(await gate([before])).toMatchObject({ exitCode: 0 })
  expect(await gate([after])).toMatchObject({
    exitCode: 1,
    said: expect.stringContaining('67 before, 68 now, +1'),
  })
  expect(await gate(['baseline', after, '--reason', 'one more is needed'])).toMatchObject({ exitCode: 0 })
  expect(await gate([after])).toMatchObject({ exitCode: 0 })
  const log = new TextDecoder().decode((await store.read('gate/baseline.log.ndjson')) ?? new Uint8Array())
  expectBothReplacements(log)
})

test('baselines that are recorded at the same moment each keep their line of the log', async () => {
  const address = `s3://${bucket}/${prefix}gate/at-once/baseline.log.ndjson`
  for (const [name, value] of Object.entries(serviceVariables())) vi.stubEnv(name, value)
  const lines = ['first', 'second', 'third', 'fourth', 'fifth', 'sixth']
  await Promise.all(lines.map((line) => appendToS3Object(address, `${line}\n`)))
  vi.unstubAllEnvs()
  const log = new TextDecoder().decode(
    (await store.read('gate/at-once/baseline.log.ndjson')) ?? new Uint8Array(),
  )
  expect(log.trimEnd().split('\n').toSorted()).toEqual(lines.toSorted())
})

test('a baseline that the store does not give is no verdict, and says why', async () => {
  const before = join(folder, 'before.json')
  const saidOf = async (address: string, env = serviceVariables()) => {
    const { exitCode, said } = await gate([before], address, env)
    expect(exitCode).toBe(4)
    return said
  }
  const wrongKey = { ...serviceVariables(), LAKEDUEL_S3_SECRET_ACCESS_KEY: 'not-the-secret' }
  expect(await saidOf(ADDRESS, wrongKey)).toContain('refuses the credentials')
  expect(await saidOf('s3://no-such-bucket-here/baseline.json')).toContain('The S3 bucket does not exist')
  expect(await saidOf('s3://only-a-bucket')).toContain('names no object')
  expect(await saidOf(ADDRESS, { AWS_ACCESS_KEY_ID: '', AWS_SECRET_ACCESS_KEY: '' })).toContain(
    'no credentials',
  )
  expect(await gate(['baseline', before, '--reason', 'a'], ADDRESS, wrongKey)).toMatchObject({ exitCode: 4 })
})
