import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Readable, Writable } from 'node:stream'
import { z } from 'zod'
import type { Storage } from '../../platform/endpoints.ts'
import { LakeduelError } from '../../platform/errors.ts'
import { packageRoot } from '../../platform/package-root.ts'
import type { ProcessEnd } from './errors.ts'
import { deathOf, errorOf, sidecarErrorSchema } from './errors.ts'

const SOURCE = join(packageRoot, 'backends/delta/sidecar/src')
/** What is kept of stderr for the error of a sidecar that dies. */
const STDERR_CHARACTERS = 4_000

const answerSchema = z.union([
  z.object({ id: z.int(), ok: z.unknown() }),
  z.object({ id: z.int().nullable(), error: sidecarErrorSchema }),
])

interface Waiting {
  readonly resolve: (answer: unknown) => void
  readonly reject: (error: LakeduelError) => void
}

/**
 * The client of one `lakeduel_sidecar serve`: a plain child process, so that it counts to the pod of this one, which
 * ends when its stdin closes, however this process dies.
 */
export class SidecarProcess implements AsyncDisposable {
  readonly pid: number
  readonly #child: ChildProcessByStdio<Writable, Readable, Readable>
  readonly #waiting = new Map<number, Waiting>()
  readonly #ended: Promise<ProcessEnd>
  #stderr = ''
  #requests = 0
  #closed = false

  private constructor(child: ChildProcessByStdio<Writable, Readable, Readable>, pid: number) {
    this.#child = child
    this.pid = pid
    createInterface({ input: child.stdout }).on('line', (line) => this.#settle(line))
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr = (this.#stderr + text).slice(-STDERR_CHARACTERS)
    })
    // A write to a sidecar that has just died fails here too; how it died is told by `#ended`.
    child.stdin.on('error', () => undefined)
    this.#ended = new Promise((resolve) => {
      child.once('close', (exitCode, signal) => resolve({ exitCode, signal, stderr: this.#stderr }))
    })
    void this.#ended.then((end) => this.#abandon(deathOf(end)))
  }

  /**
   * @param engineEnvironment variables that the engines read when they are loaded
   * @throws LakeduelError `TOOL_MISSING` where the interpreter can't be started
   */
  static async start(
    python: string,
    storage: Storage,
    engineEnvironment: Readonly<Record<string, string>>,
  ): Promise<SidecarProcess> {
    // The secrets are in the environment, which only this user can read, and not in the arguments, which all can.
    const env = {
      ...inheritedEnvironment(),
      ...storageEnvironment(storage),
      ...engineEnvironment,
      PYTHONPATH: SOURCE,
      // The package's folder may be read-only, and is part of a checkout.
      PYTHONDONTWRITEBYTECODE: '1',
    }
    const child = spawn(python, ['-m', 'lakeduel_sidecar', 'serve'], { env, stdio: ['pipe', 'pipe', 'pipe'] })
    try {
      await once(child, 'spawn')
    } catch (cause) {
      throw new LakeduelError('TOOL_MISSING', `the sidecar's interpreter ${python} can't be started`, {
        facts: { python },
        remedy: 'Run `lakeduel doctor`, which says what the sidecar needs, and the set-up again.',
        cause,
      })
    }
    return new SidecarProcess(child, child.pid ?? 0)
  }

  /** Whether it can still be asked. */
  get open(): boolean {
    return !this.#closed && this.#child.exitCode === null && this.#child.signalCode === null
  }

  /** Sends one request and parses its answer. Requests are answered one at a time, in their order. */
  async request<T>(verb: string, fields: object, answer: z.ZodType<T>): Promise<T> {
    if (this.#closed) throw closedError(verb)
    if (!this.open) throw deathOf(await this.#ended)
    this.#requests += 1
    const id = this.#requests
    const answered = new Promise<unknown>((resolve, reject) => this.#waiting.set(id, { resolve, reject }))
    this.#child.stdin.write(`${JSON.stringify({ id, verb, ...fields })}\n`)
    return answer.parse(await answered)
  }

  #settle(line: string): void {
    const answer = answerSchema.parse(JSON.parse(line))
    const waiting = answer.id === null ? undefined : this.#waiting.get(answer.id)
    if (answer.id !== null) this.#waiting.delete(answer.id)
    if ('error' in answer) waiting?.reject(errorOf(answer.error))
    else waiting?.resolve(answer.ok)
  }

  #abandon(error: LakeduelError): void {
    for (const { reject } of this.#waiting.values()) reject(error)
    this.#waiting.clear()
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#child.stdin.end()
    await this.#ended
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}

function closedError(verb: string): LakeduelError {
  return new LakeduelError('USAGE', `the backend is closed, so it can't ${verb}`, {
    remedy: 'Connect it again.',
  })
}

/**
 * Nothing else of this process's environment: a stray `AWS_PROFILE` or `PYTHONHOME` must not change a result.
 * LAKEDUEL_FAULT arms faults of tests, the sidecar's own among them.
 */
function inheritedEnvironment(): Readonly<Record<string, string>> {
  const names = ['PATH', 'HOME', 'TMPDIR', 'LANG', 'SSL_CERT_FILE', 'SSL_CERT_DIR', 'LAKEDUEL_FAULT']
  return Object.fromEntries(names.flatMap((name) => (process.env[name] ? [[name, process.env[name]]] : [])))
}

function storageEnvironment(storage: Storage): Readonly<Record<string, string>> {
  if (storage.kind === 'local') return {}
  const { url, region, accessKeyId, secretAccessKey, sessionToken, urlStyle } = storage.endpoint
  return {
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
    ...(sessionToken === undefined ? {} : { AWS_SESSION_TOKEN: sessionToken }),
    AWS_REGION: region,
    AWS_ENDPOINT_URL: url,
    AWS_ALLOW_HTTP: String(url.startsWith('http:')),
    AWS_VIRTUAL_HOSTED_STYLE_REQUEST: String(urlStyle === 'vhost'),
    // The instance-metadata service isn't asked for anything; without it nothing waits for its timeout.
    AWS_EC2_METADATA_DISABLED: 'true',
  }
}
