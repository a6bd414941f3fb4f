import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { z } from 'zod'
import { SidecarProcess } from '../../../backends/delta/sidecar-process.ts'
import type { Storage } from '../../../platform/endpoints.ts'
import { LakeduelError } from '../../../platform/errors.ts'
import { packageRoot } from '../../../platform/package-root.ts'

const services = inject('services')
const python = services.sidecar?.python ?? ''
const anything = z.unknown()

async function failureOf(promise: Promise<unknown>): Promise<LakeduelError> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  if (error instanceof LakeduelError) return error
  throw new Error(`expected a LakeduelError, got ${String(error)}`)
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

describe.skipIf(services.sidecar === null)('the delta-rs sidecar', () => {
  let root: string
  let storage: Storage
  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), 'lakeduel-sidecar-'))
    storage = { kind: 'local', root }
  })
  afterAll(() => rm(root, { recursive: true, force: true }))

  it('answers what it cannot do with a code, and goes on', async () => {
    await using sidecar = await SidecarProcess.start(python, storage, {})
    const missing = await failureOf(sidecar.request('describe', { uri: join(root, 'nothing') }, anything))
    expect(missing.code).toBe('TABLE_NOT_FOUND')
    const unknown = await failureOf(sidecar.request('defragment', {}, anything))
    expect(unknown.code).toBe('USAGE')
    const incomplete = await failureOf(sidecar.request('apply', { uri: root }, anything))
    expect(incomplete).toMatchObject({ code: 'USAGE', facts: { field: 'spec' } })
    await expect(
      sidecar.request('hello', {}, z.object({ versions: z.object({ deltalake: z.string() }) })),
    ).resolves.toBeDefined()
  })

  it('tells the signal that killed it to the request that waits and to the next one', async () => {
    await using sidecar = await SidecarProcess.start(python, storage, {})
    // It is still loading its engines, so the request waits.
    const waiting = failureOf(sidecar.request('hello', {}, anything))
    process.kill(sidecar.pid, 'SIGKILL')
    expect(await waiting).toMatchObject({ code: 'SIDECAR_DIED', facts: { signal: 'SIGKILL' } })
    const second = await failureOf(sidecar.request('hello', {}, anything))
    expect(second.code).toBe('SIDECAR_DIED')
    expect(second.facts).toMatchObject({ signal: 'SIGKILL' })
  })

  it('ends when its stdin closes, and holds no secret in its arguments', async () => {
    const secret = 'never-in-the-arguments'
    const s3: Storage = {
      kind: 's3',
      endpoint: { ...services.s3, secretAccessKey: secret },
      bucket: services.bucket,
      prefix: '',
    }
    const sidecar = await SidecarProcess.start(python, s3, {})
    const { stdout } = spawn('ps', ['-o', 'args=', '-p', String(sidecar.pid)])
    const [args] = await once(stdout, 'data')
    expect(String(args)).toContain('lakeduel_sidecar serve')
    expect(String(args)).not.toContain(secret)
    const refused = await failureOf(
      sidecar.request('describe', { uri: `s3://${services.bucket}/nothing` }, anything),
    )
    expect(refused.code).toBe('S3_CREDENTIALS')
    expect(JSON.stringify([refused.message, refused.facts])).not.toContain(secret)
    await sidecar.close()
    expect(isAlive(sidecar.pid)).toBe(false)
  })

  it('does not outlive the process that started it', async () => {
    const script = `
      import { SidecarProcess } from ${JSON.stringify(join(packageRoot, 'backends/delta/sidecar-process.ts'))}
      const sidecar = await SidecarProcess.start(${JSON.stringify(python)}, { kind: 'local', root: '/' }, {})
      await sidecar.request('hello', {}, { parse: (answer) => answer })
      console.log(sidecar.pid)`
    const parent = spawn(process.execPath, ['--input-type=module', '--eval', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const [pid] = await once(parent.stdout, 'data')
    parent.kill('SIGKILL')
    await expect.poll(() => isAlive(Number(pid)), { timeout: 10_000 }).toBe(false)
  })

  it('is a command line too, whose exit code tells a failure', async () => {
    const call = async (verb: string, json: string) => {
      const child = spawn(python, ['-m', 'lakeduel_sidecar', verb, '--json', json], {
        env: { PYTHONPATH: join(packageRoot, 'backends/delta/sidecar/src') },
      })
      let output = ''
      child.stdout.on('data', (text: Buffer) => {
        output += text.toString()
      })
      const [exitCode] = await once(child, 'close')
      return { exitCode: Number(exitCode), answer: JSON.parse(output) }
    }
    expect(await call('hello', '{}')).toMatchObject({ exitCode: 0, answer: { ok: { versions: {} } } })
    const missing = await call('describe', JSON.stringify({ uri: join(root, 'nothing') }))
    expect(missing).toMatchObject({
      exitCode: 1,
      answer: { error: { code: 'TABLE_NOT_FOUND', kind: 'terminal' } },
    })
    expect(await call('hello', '[')).toMatchObject({ exitCode: 1, answer: { error: { code: 'USAGE' } } })
  })
})
