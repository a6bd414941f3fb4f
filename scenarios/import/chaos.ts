/**
 * Kills parts of the pipeline at random moments, over and over, and compares what the lake holds in the end with what an
 * undisturbed run left. What is killed: the sync itself, its extractor, its worker, the load process, the sidecar, all
 * connections to Postgres, all connections to the object store (cut, or answered with 503 for a while).
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { execa } from 'execa'
import type { PostgresEndpoint } from '../../platform/endpoints.ts'
import { withPostgres } from '../../platform/services/postgres/client.ts'
import type { ConnectionFaults } from './connection-faults.ts'
import { type ProcessOfTree, processTree } from './process-tree.ts'

export const BLOWS = [
  'kill sync',
  'kill extractor',
  'kill worker',
  'kill load',
  'kill sidecar',
  'terminate sync',
  'end Postgres connections',
  'cut object store connections',
  'object store unavailable',
] as const
export type Blow = (typeof BLOWS)[number]

export interface ChaosOptions {
  /** The command, run again until it ends with 0. */
  readonly command: { readonly file: string; readonly args: readonly string[] }
  readonly env: Readonly<Record<string, string>>
  readonly postgres: PostgresEndpoint
  readonly objectStore: ConnectionFaults
  /** Uniform numbers from 0 to 1, from a seed. */
  readonly random: () => number
  /** The mean time between two blows. */
  readonly meanPauseMs: number
  /** No more blows than this. */
  readonly maxBlows: number
  readonly deadlineMs: number
  readonly onBlow: (blow: Blow) => void
}

export interface ChaosOutcome {
  readonly status: 'done' | 'failed' | 'timed-out'
  readonly blows: Readonly<Record<string, number>>
  readonly starts: number
  /** What the last command wrote, when it failed. */
  readonly said: string
}

const UNAVAILABLE_MS = 1_500
/** Failures without a blow, after which a sync has failed by itself: the first may still come of the last blow. */
const UNPROVOKED_FAILURES = 3

/** Runs a sync to its end through blows. */
export async function syncThroughChaos(options: ChaosOptions): Promise<ChaosOutcome> {
  const blows: Record<string, number> = {}
  const deadline = performance.now() + options.deadlineMs
  let dealt = 0
  let starts = 0
  let unprovoked = 0
  while (performance.now() < deadline) {
    starts += 1
    const dealtBefore = dealt
    const { file, args } = options.command
    const sync = execa(file, args, { env: options.env, reject: false, stdin: 'ignore', all: true })
    const ended = new AbortController()
    const striking = strike(
      options,
      sync.pid ?? 0,
      ended.signal,
      () => dealt < options.maxBlows,
      (blow) => {
        dealt += 1
        blows[blow] = (blows[blow] ?? 0) + 1
        options.onBlow(blow)
      },
    )
    const timer = setTimeout(() => sync.kill('SIGKILL'), Math.max(0, deadline - performance.now()))
    const { exitCode, all: said } = await sync
    clearTimeout(timer)
    ended.abort()
    await striking
    if (exitCode === 0 && isDone(said)) return { status: 'done', blows, starts, said: '' }
    unprovoked = dealt === dealtBefore ? unprovoked + 1 : 0
    if (unprovoked >= UNPROVOKED_FAILURES)
      return { status: 'failed', blows, starts, said: said.slice(-4_000) }
  }
  return { status: 'timed-out', blows, starts, said: '' }
}

/** A drained sync ends with 0, too. */
function isDone(said: string): boolean {
  return /"status": "done"/.test(said)
}

async function strike(
  options: ChaosOptions,
  root: number,
  ended: AbortSignal,
  mayStrike: () => boolean,
  onBlow: (blow: Blow) => void,
): Promise<void> {
  while (!ended.aborted && mayStrike()) {
    const pauseMs = -Math.log(1 - options.random()) * options.meanPauseMs
    await sleep(pauseMs, undefined, { signal: ended }).catch(() => undefined)
    if (ended.aborted) return
    const blow = BLOWS[Math.floor(options.random() * BLOWS.length)] ?? 'kill extractor'
    if (await deal(blow, options, root)) onBlow(blow)
  }
}

/** Whether there was anything to strike. */
async function deal(blow: Blow, { postgres, objectStore }: ChaosOptions, root: number): Promise<boolean> {
  switch (blow) {
    case 'kill sync':
      return signalOne(root, 'sync', 'SIGKILL')
    case 'terminate sync':
      return signalOne(root, 'sync', 'SIGTERM')
    case 'kill extractor':
      return signalOne(root, 'extractor', 'SIGKILL')
    case 'kill worker':
      return signalOne(root, 'worker', 'SIGKILL')
    case 'kill load':
      return signalOne(root, 'load', 'SIGKILL')
    case 'kill sidecar':
      return signalOne(root, 'sidecar', 'SIGKILL')
    case 'end Postgres connections':
      return endConnections(postgres)
    case 'cut object store connections':
      objectStore.cut()
      return true
    case 'object store unavailable':
      objectStore.setUnavailable(true)
      await sleep(UNAVAILABLE_MS)
      objectStore.setUnavailable(false)
      return true
  }
}

function signalOne(root: number, role: ProcessOfTree['role'], signal: NodeJS.Signals): boolean {
  const victim = processTree(root).find((process) => process.role === role)
  if (victim === undefined) return false
  try {
    return process.kill(victim.pid, signal)
  } catch {
    return false
  }
}

async function endConnections(postgres: PostgresEndpoint): Promise<boolean> {
  await withPostgres(postgres, (client) =>
    client.query(
      'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()',
    ),
  )
  return true
}
