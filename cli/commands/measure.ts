import { join, resolve } from 'node:path'
import { Command } from 'commander'
import { ARMS, type Arm } from '../../backends/backend.ts'
import { loadConfig } from '../../platform/config/load.ts'
import { interruptSignal } from '../../platform/interrupt.ts'
import { renderConsole } from '../../reports/console.ts'
import { consoleOptions } from '../../reports/terminal.ts'
import { ResultsFile } from '../../scenarios/runner/results-file.ts'
import { chosen } from '../bench/nearest.ts'
import { collect, parseRepeat, parseSeed } from '../bench/values.ts'
import { blowsOf, CHAOS_DEFAULTS, measureChaos } from '../measure/chaos.ts'
import { measureInvoices } from '../measure/invoices.ts'
import { measureMicro } from '../measure/micro/measure.ts'
import { measureBeside } from '../measure/migration/beside.ts'
import { measureMigration } from '../measure/migration/migration.ts'
import { dltVersions, measureNarrowRows } from '../measure/narrow-rows.ts'
import { measureOverlap } from '../measure/overlap.ts'
import { measureWideRows } from '../measure/wide-rows.ts'
import { parseCount, parseDuration, parseRows, parseSize } from '../sync/values.ts'

const EXAMPLES = `
Examples:
  lakeduel measure chaos --blows 240                 kills at random moments, on every arm
  lakeduel measure invoices --kill-every 20s
  lakeduel measure chaos --arm delta/deltalite --seed 7

Each starts its own services where none are configured. docs/benchmarks.md has the figures that came out.
`

/** `lakeduel measure`: repeats the figures of docs/benchmarks.md. */
export function measureCommand(): Command {
  const command = new Command('measure')
    .description('measures the pipeline and the migrator: what kills cost, how fast they are, what they need')
    .addHelpText('after', EXAMPLES)
  for (const child of [
    chaosCommand(),
    invoicesCommand(),
    wideRowsCommand(),
    narrowRowsCommand(),
    overlapCommand(),
    migrationCommand(),
    microCommand(),
  ])
    command.addCommand(child)
  return command
}

function chaosCommand(): Command {
  return new Command('chaos')
    .description('kills parts of the pipeline at random, and compares the tables with undisturbed ones')
    .option('--blows <n>', 'kills and cuts in all', parseRows, CHAOS_DEFAULTS.blows)
    .option('--rows <n>', 'rows of each table', parseRows, CHAOS_DEFAULTS.rows)
    .option('--arm <names>', 'only these arms', collect, [])
    .option('--seed <n>', 'seed of rows and blows', parseSeed, CHAOS_DEFAULTS.seed)
    .option('--json', 'print JSON', false)
    .action(chaos)
}

function invoicesCommand(): Command {
  return new Command('invoices')
    .description(
      'a million invoices from the Stripe-protocol server: what a sync adds to bare paging, and what kills cost',
    )
    .option('--invoices <n>', 'how many', parseRows, 1_000_000)
    .option('--latency <duration>', 'of each answer of the server', parseDuration, 5)
    .option('--to <arm>', 'the arm', 'ducklake/delete-insert')
    .option('--kill-every <duration>', 'kill a random process about so often', parseDuration)
    .option('--extractor-memory <size>', 'cap of the extractor', '768MiB')
    .option('--loader-memory <size>', 'cap of the loader', '2GiB')
    .action(invoices)
}

function wideRowsCommand(): Command {
  return new Command('wide-rows')
    .description('rows of tens of megabytes from Postgres into each format, in small pods')
    .option('--rows <n>', 'how many', parseRows, 1_000)
    .option('--row-size <size>', 'of each', parseSize, 30 * 1_000_000)
    .option('--arm <names>', 'into these arms', collect, [])
    .option('--extractor-memory <size>', 'cap of the extractor', '768MiB')
    .option('--loader-memory <size>', 'cap of the loader', '2GiB')
    .action(wideRows)
}

function narrowRowsCommand(): Command {
  return new Command('narrow-rows')
    .description('narrow rows from Postgres into each format, by turns with dlt')
    .option('--rows <n>', 'how many', parseRows, 5_000_000)
    .option('--repeat <n>', 'repetitions', parseCount, 3)
    .option('--arm <names>', 'into these arms', collect, [])
    .option(
      '--dlt-python <path>',
      'a Python with dlt[deltalake,sql-database,s3] and connectorx; without it dlt is left out',
    )
    .action(narrowRows)
}

function overlapCommand(): Command {
  return new Command('overlap')
    .description('extracting and loading side by side, against each alone')
    .option('--rows <n>', 'how many', parseRows, 2_000_000)
    .option('--arm <names>', 'into these arms', collect, [])
    .action(overlap)
}

function migrationCommand(): Command {
  return new Command('migration')
    .description(
      'a Delta table of many small files that is registered, or of large ones that is rewritten, by turns with DuckDB’s own COPY',
    )
    .option('--files <n>', 'small files to register', parseRows, 10_000)
    .option('--partitions <n>', 'that they lie in', parseRows, 100)
    .option('--rewrite <size>', 'rewrite so much in files of 64 MiB instead, such as 5GB', parseSize)
    .option(
      '--beside <folder>',
      'register all Delta tables below it instead, and the small files, by turns with delta2ducklake, and tell which are exact',
    )
    .option('--max-memory <size>', 'that the migrator may take', parseSize, 512 * 2 ** 20)
    .option('--repeat <n>', 'repetitions', parseCount, 1)
    .action(migration)
}

const BOTH_FORMATS: readonly Arm[] = ['ducklake/delete-insert', 'delta/deltalite']

function armsOf(names: readonly string[]): readonly Arm[] {
  return names.length === 0 ? BOTH_FORMATS : chosen('arm', names, ARMS)
}

interface WideRowsOptions {
  readonly rows: number
  readonly rowSize: number
  readonly arm: readonly string[]
  readonly extractorMemory: string
  readonly loaderMemory: string
}

async function wideRows({ arm, rowSize, ...options }: WideRowsOptions): Promise<void> {
  const request = { ...options, rowBytes: rowSize, arms: armsOf(arm) }
  print(await measureWideRows(request, interruptSignal()))
}

interface NarrowRowsOptions {
  readonly rows: number
  readonly repeat: number
  readonly arm: readonly string[]
  readonly dltPython?: string
}

async function narrowRows({ rows, repeat, arm, dltPython }: NarrowRowsOptions): Promise<void> {
  const request = { rows, repetitions: repeat, arms: armsOf(arm), dltPython: dltPython ?? null }
  const dlt = dltPython === undefined ? null : await dltVersions(dltPython)
  print({ dlt, results: await measureNarrowRows(request, interruptSignal()) })
}

async function overlap({ rows, arm }: { readonly rows: number; readonly arm: readonly string[] }) {
  print(await measureOverlap({ rows, arms: armsOf(arm) }, interruptSignal()))
}

interface MigrationOptions {
  readonly files: number
  readonly partitions: number
  readonly rewrite?: number
  readonly beside?: string
  readonly maxMemory: number
  readonly repeat: number
}

async function migration(options: MigrationOptions): Promise<void> {
  const { files, partitions, rewrite, beside, maxMemory, repeat } = options
  if (beside !== undefined) {
    const request = { folder: beside, made: { files, partitions }, repetitions: repeat }
    return print(await measureBeside(request, interruptSignal()))
  }
  const shape = rewrite === undefined ? { files, partitions } : { bytes: rewrite }
  const request = { shape, maxMemoryBytes: maxMemory, repetitions: repeat }
  print(await measureMigration(request, interruptSignal()))
}

interface InvoicesOptions {
  readonly invoices: number
  readonly latency: number
  readonly to: string
  readonly killEvery?: number
  readonly extractorMemory: string
  readonly loaderMemory: string
}

async function invoices(options: InvoicesOptions): Promise<void> {
  const [arm = 'ducklake/delete-insert'] = chosen('arm', [options.to], ARMS)
  const { invoices: count, latency, killEvery, extractorMemory, loaderMemory } = options
  const request = {
    invoices: count,
    latencyMs: latency,
    arm,
    killEveryMs: killEvery ?? null,
    extractorMemory,
    loaderMemory,
  }
  print(await measureInvoices(request, interruptSignal()))
}

function print(result: unknown): void {
  process.stdout.write(`${JSON.stringify(result, null, 2)}\n`)
}

interface ChaosOptions {
  readonly blows: number
  readonly rows: number
  readonly arm: readonly string[]
  readonly seed: number
  readonly json: boolean
}

async function chaos({ blows, rows, arm, seed, json }: ChaosOptions): Promise<void> {
  const arms: readonly Arm[] = arm.length === 0 ? ARMS : chosen('arm', arm, ARMS)
  const rounds = await measureChaos({ blows, rows, seed, arms }, interruptSignal())
  const wrong = rounds.filter(({ exact }) => !exact)
  const dealt = rounds.reduce((sum, round) => sum + blowsOf(round), 0)
  const text = `${dealt} blows in ${rounds.length} syncs over ${arms.length} arms: ${wrong.length === 0 ? 'every table is exact' : `${wrong.length} WRONG`}`
  process.stdout.write(json ? `${JSON.stringify(rounds, null, 2)}\n` : `${text}\n`)
  process.exitCode = wrong.length === 0 ? 0 : 1
}

function microCommand(): Command {
  return new Command('micro')
    .description(
      'the pieces that a row goes through, each by itself; for `lakeduel compare` and `lakeduel gate`',
    )
    .option('--repeat <n>', 'repetitions, each in a fresh process', parseRepeat, 7)
    .option('--time <duration>', 'for each piece in each repetition', parseDuration, 500)
    .option('--out <folder>', 'where results.json goes (default: results/micro below LAKEDUEL_HOME)')
    .option('--json', 'print the results as JSON', false)
    .action(micro)
}

async function micro(options: MicroFlags): Promise<void> {
  const command = ['lakeduel', ...process.argv.slice(2)].join(' ')
  const asked = { repeat: options.repeat, timeMs: options.time, command }
  const results = await measureMicro(asked, interruptSignal(), (text) => process.stderr.write(`${text}\n`))
  const file = new ResultsFile(resolve(options.out ?? join((await loadConfig()).home, 'results', 'micro')))
  await file.save(results)
  const table = () => renderConsole(results, consoleOptions(process.stdout, process.env))
  process.stdout.write(
    options.json ? `${JSON.stringify(results, null, 2)}\n` : `${table()}\n\nresults  ${file.path}\n`,
  )
}

interface MicroFlags {
  readonly repeat: number
  readonly time: number
  readonly out?: string
  readonly json: boolean
}
