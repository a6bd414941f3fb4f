import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { open, readFile } from 'node:fs/promises'
import { basename } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { LakeduelError } from '../errors.ts'

export interface ServerCommand {
  readonly program: string
  readonly args: readonly string[]
  readonly uid?: number
  readonly gid?: number
  /** The whole environment of the server: nothing of ours is passed on by accident. */
  readonly env: Readonly<Record<string, string>>
  readonly logFile: string
  /** True once the server answers. */
  readonly isReady: () => Promise<boolean>
  readonly readyTimeoutMs: number
  /** How it is told to end. */
  readonly stopSignal: NodeJS.Signals
  readonly signal: AbortSignal
}

export interface ServerProcess {
  readonly pid: number
  /** Ends it, by force when it doesn't by itself. Its data is thrown away afterwards. */
  readonly stop: () => Promise<void>
}

const POLL_MS = 25
const STOP_TIMEOUT_MS = 5_000

/**
 * Starts a server and waits until it answers.
 * @throws LakeduelError `SETUP_FAILED` with the end of its log when it ends or stays silent, or the reason of the signal
 */
export async function startServer(command: ServerCommand): Promise<ServerProcess> {
  await using log = await open(command.logFile, 'a', 0o600)
  const { uid, gid, env } = command
  const runAs = uid === undefined || gid === undefined ? {} : { uid, gid }
  const child = spawn(command.program, command.args, {
    env,
    stdio: ['ignore', log.fd, log.fd],
    cwd: '/',
    ...runAs,
  })
  const ended = Promise.race([once(child, 'exit'), once(child, 'error')])
  const server = { pid: child.pid ?? 0, stop: () => stopChild(child, ended, command.stopSignal) }
  try {
    await waitUntilReady(command, ended)
    return server
  } catch (error) {
    await server.stop()
    throw error
  }
}

async function waitUntilReady(command: ServerCommand, ended: Promise<unknown>): Promise<void> {
  let hasEnded = false
  void ended.then(() => {
    hasEnded = true
  })
  const deadline = performance.now() + command.readyTimeoutMs
  while (!(await command.isReady())) {
    command.signal.throwIfAborted()
    if (hasEnded || performance.now() > deadline) throw await startFailure(command, hasEnded)
    await sleep(POLL_MS)
  }
}

async function startFailure(command: ServerCommand, hasEnded: boolean): Promise<LakeduelError> {
  const log = (await readFile(command.logFile, 'utf8')).trim().split('\n').slice(-12).join('\n')
  const what = hasEnded ? 'ended while it was starting' : `did not answer within ${command.readyTimeoutMs} ms`
  return new LakeduelError('SETUP_FAILED', `${basename(command.program)} ${what}:\n${log}`, {
    facts: { program: command.program, log },
    remedy: 'The log above gives the reason; `lakeduel doctor` checks the parts one by one.',
  })
}

async function stopChild(
  child: ReturnType<typeof spawn>,
  ended: Promise<unknown>,
  stopSignal: NodeJS.Signals,
): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return
  child.kill(stopSignal)
  const force = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS)
  await ended
  clearTimeout(force)
}
