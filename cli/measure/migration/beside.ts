import { mkdir, mkdtemp, readdir, realpath, rm } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { openLake } from '../../../migrate/lake/lake.ts'
import { ensureDelta2ducklake } from '../../../platform/setup/setup.ts'
import { median } from '../../../reports/statistics/quantile.ts'
import { type MigrateSurroundings, openMigrateSurroundings } from '../../migrate/surroundings.ts'
import { type Contender, delta2ducklakeContender, lakeduelContender, timed } from './contenders.ts'
import { judge, type Verdict } from './judge.ts'
import { writeDeltaTable } from './made-table.ts'

export interface BesideRequest {
  /** Every Delta table below it is taken. */
  readonly folder: string
  /** Of one more table, which is made. */
  readonly made: { readonly files: number; readonly partitions: number }
  readonly repetitions: number
}

type Name = Contender['name']

export interface BesideResult {
  /** What a process takes that does nothing, in milliseconds. */
  readonly startMs: Readonly<Record<Name, number>>
  readonly tables: readonly TableResult[]
  /** Sums of the times of the tables that both registered exactly, copying no rows. */
  readonly both: { readonly tables: number } & Readonly<Record<Name, number>>
}

type TableResult = { readonly table: string } & Readonly<Record<Name, Registered>>

interface Registered {
  readonly outcome: Verdict['outcome'] | 'refused'
  readonly why: string
  /** Of the processes from start to end; the median of the repetitions. */
  readonly wallMs: number
}

/** lakeduel and delta2ducklake by turns, each as a process that registers a table in a SQLite catalog of its own; and whether it is exact. */
export async function measureBeside(request: BesideRequest, signal: AbortSignal): Promise<BesideResult> {
  await using surroundings = await openMigrateSurroundings({}, signal)
  const python = await ensureDelta2ducklake(surroundings.config.home, signal)
  const contenders = [lakeduelContender, delta2ducklakeContender(python)]
  const room = await mkdtemp(join(await realpath(surroundings.scratchDir), 'beside-'))
  const madeFolder = join(room, 'made')
  process.stderr.write('making the Delta table\n')
  await writeDeltaTable(request.made, surroundings.python, madeFolder)
  const { files, partitions } = request.made
  const found = await deltaTablesBelow(request.folder)
  const named = found.map((path) => ({ path, table: relative(request.folder, path) || path }))
  const all = [...named, { path: madeFolder, table: `made: ${files} files in ${partitions} partitions` }]
  const startMs = await startTimes(contenders, request.repetitions, signal)
  const tables: TableResult[] = []
  for (const { path, table } of all) {
    const result = { table, ...(await besides(surroundings, contenders, path, room, request, signal)) }
    process.stderr.write(`${JSON.stringify(result)}\n`)
    tables.push(result)
  }
  await rm(room, { recursive: true })
  return { startMs, tables, both: sumsOf(tables) }
}

async function deltaTablesBelow(folder: string): Promise<readonly string[]> {
  const entries = await readdir(await realpath(folder), { recursive: true, withFileTypes: true })
  return entries
    .filter((entry) => entry.isDirectory() && entry.name === '_delta_log')
    .map(({ parentPath }) => parentPath)
    .toSorted()
}

async function startTimes(
  contenders: readonly Contender[],
  repetitions: number,
  signal: AbortSignal,
): Promise<Record<Name, number>> {
  const times = timesByName()
  for (let repetition = 0; repetition < repetitions; repetition += 1) {
    for (const { name, starting } of contenders) times[name].push((await timed(starting, signal)).wallMs)
  }
  return { lakeduel: median(times.lakeduel), delta2ducklake: median(times.delta2ducklake) }
}

/** The first repetition is judged: each does the same in a catalog of its own. */
async function besides(
  surroundings: MigrateSurroundings,
  contenders: readonly Contender[],
  path: string,
  room: string,
  { repetitions }: BesideRequest,
  signal: AbortSignal,
): Promise<Record<Name, Registered>> {
  const times = timesByName()
  const verdicts = new Map<Name, Omit<Registered, 'wallMs'>>()
  for (let repetition = 0; repetition < repetitions; repetition += 1) {
    for (const { name, registering } of contenders) {
      const { folder, catalog } = await newCatalog(surroundings, room)
      const ended = await timed(registering(path, catalog), signal)
      times[name].push(ended.wallMs)
      if (!verdicts.has(name)) {
        const refused = { outcome: 'refused', why: ended.said } as const
        verdicts.set(name, ended.succeeded ? await judge(surroundings, path, catalog) : refused)
      }
      await rm(folder, { recursive: true })
    }
  }
  const of = (name: Name): Registered => {
    const verdict = verdicts.get(name) ?? { outcome: 'not judged', why: 'It did not run.' }
    return { ...verdict, wallMs: median(times[name]) }
  }
  return { lakeduel: of('lakeduel'), delta2ducklake: of('delta2ducklake') }
}

/** Made by DuckLake itself: delta2ducklake leaves that to it, too, and fetches it from the network for that. */
async function newCatalog(
  surroundings: MigrateSurroundings,
  room: string,
): Promise<{ readonly folder: string; readonly catalog: string }> {
  const folder = await mkdtemp(join(room, 'catalog-'))
  const dataPath = join(folder, 'data')
  await mkdir(dataPath)
  const catalog = join(folder, 'lake.sqlite')
  await using _ = await openLake({ kind: 'sqlite', path: catalog }, surroundings, {
    dataPath,
    readOnly: false,
  })
  return { folder, catalog }
}

function sumsOf(tables: readonly TableResult[]): BesideResult['both'] {
  const both = tables.filter((table) => [table.lakeduel, table.delta2ducklake].every(isExact))
  const sum = (name: Name) => both.reduce((total, table) => total + table[name].wallMs, 0)
  return { tables: both.length, lakeduel: sum('lakeduel'), delta2ducklake: sum('delta2ducklake') }
}

function isExact({ outcome }: Registered): boolean {
  return outcome === 'exact'
}

function timesByName(): Record<Name, number[]> {
  return { lakeduel: [], delta2ducklake: [] }
}
