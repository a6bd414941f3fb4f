import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { execa } from 'execa'
import { ARMS, type Arm } from '../../backends/backend.ts'
import { Random } from '../../pipeline/sources/random.ts'
import { LakeduelError } from '../../platform/errors.ts'
import { withPostgres } from '../../platform/services/postgres/client.ts'
import { type ChaosOutcome, syncThroughChaos } from '../../scenarios/import/chaos.ts'
import type { Contents } from '../../scenarios/import/contents.ts'
import { lakeduelCommand, MeasureServices, measureDatabase } from './services.ts'

export interface ChaosRequest {
  readonly blows: number
  readonly seed: number
  readonly arms: readonly Arm[]
  readonly rows: number
}

export const CHAOS_DEFAULTS: ChaosRequest = { blows: 240, seed: 1, arms: ARMS, rows: 30_000 }

export interface ChaosRound {
  readonly arm: Arm
  readonly mode: string
  readonly outcome: ChaosOutcome
  readonly expected: Contents
  readonly found: Contents
  readonly exact: boolean
}

const MEAN_PAUSE_MS = 900
const ROUND_DEADLINE_MS = 240_000
/** By turns, since each has its own way to lose or double a row. */
const MODES = ['incremental', 'full-refresh'] as const
const BLOWS_A_ROUND = 12

/** Deals blows to syncs of every arm until there were enough, and compares each table with an undisturbed one. */
export async function measureChaos(
  request: ChaosRequest,
  signal: AbortSignal,
): Promise<readonly ChaosRound[]> {
  await using services = await MeasureServices.start(signal)
  const numbers = new Random(request.seed)
  const random = () => numbers.share()
  const expected = new Map<string, Contents>()
  const rounds: ChaosRound[] = []
  const perArm = Math.ceil(request.blows / request.arms.length)
  for (const arm of request.arms) {
    for (let dealt = 0, round = 0; dealt < perArm && !signal.aborted; round += 1) {
      const mode = MODES[round % MODES.length] ?? 'incremental'
      const key = `${arm} ${mode}`
      const undisturbed = expected.get(key) ?? (await syncUndisturbed(services, request, arm, mode))
      expected.set(key, undisturbed)
      const result = await roundOf(services, request, { arm, mode, random, round, undisturbed })
      rounds.push(result)
      dealt += blowsOf(result)
      tell(result)
    }
  }
  return rounds
}

export function blowsOf({ outcome }: ChaosRound): number {
  return Object.values(outcome.blows).reduce((sum, count) => sum + count, 0)
}

function tell({ arm, mode, outcome, exact, found }: ChaosRound): void {
  const blows = Object.entries(outcome.blows).map(([blow, count]) => `${count}× ${blow}`)
  process.stderr.write(
    `${arm} ${mode}: ${outcome.status} after ${outcome.starts} starts, ${exact ? 'exact' : `WRONG: ${JSON.stringify(found)}`} (${blows.join(', ')})\n${outcome.said}`,
  )
}

interface Round {
  readonly arm: Arm
  readonly mode: string
  readonly random: () => number
  readonly round: number
  readonly undisturbed: Contents
}

async function roundOf(
  services: MeasureServices,
  request: ChaosRequest,
  { arm, mode, random, round, undisturbed }: Round,
): Promise<ChaosRound> {
  const database = databaseOf(arm, mode, String(round))
  const env = await services.variables(database)
  const outcome = await syncThroughChaos({
    command: lakeduelCommand(await syncArguments(services, request, arm, mode)),
    env,
    postgres: { ...services.postgres, database },
    objectStore: services.objectStore,
    random,
    meanPauseMs: MEAN_PAUSE_MS,
    maxBlows: BLOWS_A_ROUND,
    deadlineMs: ROUND_DEADLINE_MS,
    onBlow: () => undefined,
  })
  const found = await services.contents(database, arm, 'events').catch(() => NOTHING)
  const exact = outcome.status === 'done' && JSON.stringify(found) === JSON.stringify(undisturbed)
  if (exact) await services.drop(database)
  else process.stderr.write(`${await recordOf(services, database)}\n`)
  return { arm, mode, outcome, expected: undisturbed, found, exact }
}

/** What the state says of the batches of a table that came out wrong. */
async function recordOf(services: MeasureServices, database: string): Promise<string> {
  const { rows } = await withPostgres({ ...services.postgres, database }, (client) =>
    client.query(
      'SELECT kind, batch_index, status, rows, claim, attempts, losses FROM lakeduel.work ORDER BY batch_index',
    ),
  )
  return rows.map((row: unknown) => JSON.stringify(row)).join('\n')
}

const NOTHING: Contents = { rows: 'none', keys: 'none', hash: 'none' }

async function syncUndisturbed(
  services: MeasureServices,
  request: ChaosRequest,
  arm: Arm,
  mode: string,
): Promise<Contents> {
  const database = databaseOf(arm, mode, 'undisturbed')
  const env = await services.variables(database)
  const { file, args } = lakeduelCommand(await syncArguments(services, request, arm, mode))
  const { exitCode, stderr } = await execa(file, args, { env, reject: false, stdin: 'ignore' })
  if (exitCode !== 0) {
    throw new LakeduelError('ENGINE_FAILED', `The undisturbed sync of ${arm} failed: ${stderr.slice(-2_000)}`)
  }
  const contents = await services.contents(database, arm, 'events')
  await services.drop(database)
  return contents
}

async function syncArguments(
  services: MeasureServices,
  { rows, seed }: ChaosRequest,
  arm: Arm,
  mode: string,
): Promise<readonly string[]> {
  const path = join(services.folder, 'chaos.json')
  const table = { name: 'events', rows, pageRows: 500, pagesAreDear: true, delayMs: 10, widthBytes: 300 }
  // A key that occurs twice tells whether batches were applied in their order; a full refresh takes each key once.
  const duplicates = mode === 'incremental' ? { duplicates: 0.05, keyOrder: 'shuffled' } : {}
  await writeFile(path, JSON.stringify({ seed, tables: [{ ...table, ...duplicates }] }))
  const source = ['--source', 'synthetic', '--source-config', path, '--table', 'events']
  const quick = ['--claim-ttl', '2s', '--retry-backoff', '200ms', '--grace', '5s']
  const batches = ['--batch-rows', '2500', '--wait', '--json']
  return ['sync', ...source, '--to', arm, '--mode', mode, ...quick, ...batches]
}

function databaseOf(arm: Arm, mode: string, round: string): string {
  return measureDatabase(`chaos_${arm}_${mode}_${round}`.replaceAll(/[^a-z0-9]+/g, '_'))
}
