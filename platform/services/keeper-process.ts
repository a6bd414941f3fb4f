import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { extname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { redactText } from '../config/redact.ts'
import { ERROR_CODES, type ErrorCode, LakeduelError } from '../errors.ts'
import { removeRunFolder } from './run-folders.ts'
import {
  type KeeperReply,
  type KeeperRequest,
  type KeptServers,
  keeperReplySchema,
} from './server-schemas.ts'

export interface Keeper {
  readonly pid: number
  readonly servers: KeptServers
  /** Ends the services and removes their data. */
  readonly stop: () => Promise<void>
  /** Lets this process end while the keeper goes on. */
  readonly release: () => void
}

/** Beyond this a keeper that is told to end is killed, and what it leaves is removed here. */
const STOP_TIMEOUT_MS = 20_000

/** `keeper.ts` in a checkout, `keeper.js` in the published package. */
const KEEPER = fileURLToPath(new URL(`./keeper${extname(import.meta.url)}`, import.meta.url))

/**
 * Starts a keeper and waits for its services.
 * @param runDir the folder that the keeper makes for itself
 * @throws LakeduelError as the keeper tells it, or the reason of the signal; nothing is left running then
 */
export async function startKeeper(
  request: KeeperRequest,
  runDir: string,
  { signal, report }: { readonly signal: AbortSignal | undefined; readonly report: (text: string) => void },
): Promise<Keeper> {
  signal?.throwIfAborted()
  // Its own process group: a Ctrl-C in the terminal goes to all of ours.
  const child = fork(KEEPER, [], { detached: true, execArgv: [], stdio: ['ignore', 'ignore', 'pipe', 'ipc'] })
  const stop = (): Promise<void> => stopKeeper(child, runDir)
  const onAbort = (): void => disconnect(child)
  signal?.addEventListener('abort', onAbort, { once: true })
  try {
    // Through the channel rather than in argv: it may hold secrets.
    child.send(request)
    const servers = await awaitServers(child, report)
    signal?.throwIfAborted()
    return { pid: child.pid ?? 0, servers, stop, release: () => releaseKeeper(child) }
  } catch (error) {
    await stop()
    signal?.throwIfAborted()
    throw error
  } finally {
    signal?.removeEventListener('abort', onAbort)
  }
}

function awaitServers(child: ChildProcess, report: (text: string) => void): Promise<KeptServers> {
  let stderr = ''
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    stderr = (stderr + text).slice(-4_000)
  })
  return new Promise((resolve, reject) => {
    child.on('message', (message) => {
      const reply = keeperReplySchema.parse(message)
      if (reply.status === 'ready') resolve(reply.servers)
      else if (reply.status === 'failed') reject(keeperError(reply))
      else report(reply.text)
    })
    child.once('error', reject)
    // Not 'close', which doesn't come when it was this side that closed the channel.
    child.once('exit', (exitCode, signalName) => {
      const failure = (): void => reject(endedEarly(stderr, { exitCode, signal: signalName }))
      // What it wrote last may arrive after its end.
      if (child.stderr === null || child.stderr.readableEnded) failure()
      else child.stderr.once('end', failure)
    })
  })
}

function endedEarly(stderr: string, facts: Readonly<Record<string, unknown>>): LakeduelError {
  const message = `The process that holds the services ended early: ${redactText(stderr.trim())}`
  return new LakeduelError('SETUP_FAILED', message, { facts })
}

function keeperError({
  code,
  message,
  facts,
  remedy,
}: Extract<KeeperReply, { status: 'failed' }>): LakeduelError {
  const known = isErrorCode(code) ? code : 'SETUP_FAILED'
  return new LakeduelError(known, message, { facts, ...(remedy === undefined ? {} : { remedy }) })
}

function isErrorCode(code: string): code is ErrorCode {
  return code in ERROR_CODES
}

async function stopKeeper(child: ChildProcess, runDir: string): Promise<void> {
  if (child.exitCode === null && child.signalCode === null && child.pid !== undefined) {
    const ended = once(child, 'exit')
    const force = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS)
    child.kill('SIGTERM')
    await ended
    clearTimeout(force)
  }
  await removeRunFolder(runDir)
}

function disconnect(child: ChildProcess): void {
  if (child.connected) child.disconnect()
}

function releaseKeeper(child: ChildProcess): void {
  disconnect(child)
  child.stderr?.destroy()
  child.unref()
}
