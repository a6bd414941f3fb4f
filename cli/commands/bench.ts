import { join, resolve } from 'node:path'
import { Command } from 'commander'
import { loadConfig } from '../../platform/config/load.ts'
import { renderConsole } from '../../reports/console.ts'
import type { Cell, Results } from '../../reports/schema.ts'
import { consoleOptions } from '../../reports/terminal.ts'
import type { BenchPlan } from '../../scenarios/runner/bench.ts'
import { ResultsFile } from '../../scenarios/runner/results-file.ts'
import { dryRun, dryRunText } from '../bench/dry-run.ts'
import { assertRoom } from '../bench/estimate.ts'
import { folderName } from '../bench/folder-name.ts'
import { listing, listingText } from '../bench/list.ts'
import { chosen } from '../bench/nearest.ts'
import type { BenchOptions } from '../bench/request.ts'
import { planOf, planOfResumed } from '../bench/request.ts'
import type { ReportPaths } from '../bench/run.ts'
import { bench } from '../bench/run.ts'
import { parseSettings } from '../bench/settings.ts'
import { collect, parseMemoryCap, parseRepeat, parseSeed } from '../bench/values.ts'

const EXAMPLES = `
Examples:
  lakeduel bench                                        every scenario and arm in a few minutes
  lakeduel bench --profile standard --repeat 7          larger tables, narrower intervals
  lakeduel bench --scenario wide-json --memory-cap 2GiB
  lakeduel bench --arm ducklake/merge --arm delta/deltalite
  lakeduel bench --set ducklake/merge.threads=1         one setting of one arm
  lakeduel bench --scenario merge-partitions --axis partitions=10,100 --axis s3LatencyMs=0,15
  lakeduel bench --profile standard --dry-run           what it would run, and what that needs
  lakeduel bench --resume <folder of an earlier run>    measures the cells that it lacks
`

export function benchCommand(): Command {
  return withRunOptions(whatToRun())
}

/** The command with the options that say what is measured. */
function whatToRun(): Command {
  return new Command('bench')
    .description(
      'compares the arms by real merges on an object store and Postgres; starts both where none are configured',
    )
    .option('--list', 'print scenarios, profiles and arms, and run nothing')
    .option('--scenario <names>', 'only these scenarios (repeat it, or separate with commas)', collect, [])
    .option('--arm <names>', 'only these arms (repeat it, or separate with commas)', collect, [])
    .option('--profile <name>', 'how large: smoke, quick, standard or full (default: quick)')
    .option('--repeat <n>', 'repetitions of each cell (default: by profile)', parseRepeat)
    .option(
      '--memory-cap <size>',
      'cap of the loader pod, such as 1GiB, or none (default: by scenario)',
      parseMemoryCap,
    )
    .option(
      '--axis <name=values>',
      'these values of an axis instead of the profile’s (repeat it; --list names the axes)',
      (text, before: string[]) => [...before, text],
      [],
    )
    .option(
      '--network <profile>',
      'latency between the engines and their servers: loopback, same-region, cross-region (default: loopback)',
    )
    .option('--aa', 'run the first arm twice each time, to tell noise from effects (default: by profile)')
    .option('--no-aa', 'run each arm once each time')
    .option('--seed <n>', 'seed of the generated data (default: 1)', parseSeed)
    .option(
      '--set <arm.key=value>',
      'override a setting of an arm (repeat it)',
      (text, before: string[]) => [...before, text],
      [],
    )
}

/** Adds the options that say where and how it runs. */
function withRunOptions(command: Command): Command {
  return command
    .option('--storage <kind>', 's3, or local for both formats on a directory (labelled so in every result)')
    .option('--keep', 'leave tables and staged data where they are', false)
    .option('--dry-run', 'print the cells and what they need, and run nothing')
    .option('--out <folder>', 'where results and reports go (default: a new folder below LAKEDUEL_HOME)')
    .option('--resume <folder>', 'go on with an earlier run: only the cells that it lacks')
    .option('--config <file>', 'a config file instead of lakeduel.config.json')
    .option('--json', 'print the results as JSON on stdout instead of the table')
    .addHelpText('after', EXAMPLES)
    .action(async (options: BenchOptions) => {
      if (options.list === true) process.stdout.write(`${list(options)}\n`)
      else await run(options)
    })
}

function list(options: BenchOptions): string {
  return options.json === true ? JSON.stringify(listing(), null, 2) : listingText()
}

async function run(options: BenchOptions): Promise<void> {
  const resumed = options.resume === undefined ? null : await new ResultsFile(options.resume).load()
  const plan = resumed === null ? planOf(options) : planOfResumed(options, resumed)
  const settings = parseSettings(options.set)
  if (options.dryRun === true) return await printDryRun(plan, options)
  const storage =
    options.storage === undefined
      ? undefined
      : chosen('storage', [options.storage], ['s3', 'local'] as const)[0]
  const config = await loadConfig({ flags: { storage }, configFile: options.config })
  const { results, paths } = await bench({
    plan,
    settings,
    config,
    folder: resolve(options.resume ?? options.out ?? join(config.home, 'results', folderName())),
    resumed,
    command: ['lakeduel', ...process.argv.slice(2)].join(' '),
  })
  process.stdout.write(
    options.json === true ? `${JSON.stringify(results, null, 2)}\n` : summary(results, paths),
  )
  if (results.cells.some(isBad)) process.exitCode = 1
}

/** An engine that says that it has no memory is a result like a pod that is killed for it. */
function isBad(cell: Cell): boolean {
  return (
    cell.status === 'wrong-data' || (cell.status === 'engine-error' && cell.code !== 'ENGINE_OUT_OF_MEMORY')
  )
}

async function printDryRun(plan: BenchPlan, { json, config: configFile }: BenchOptions): Promise<void> {
  process.stdout.write(json === true ? `${JSON.stringify(dryRun(plan), null, 2)}\n` : `${dryRunText(plan)}\n`)
  await assertRoom(await loadConfig({ flags: {}, configFile }), plan)
}

function summary(results: Results, paths: ReportPaths): string {
  const table = renderConsole(results, consoleOptions(process.stdout, process.env))
  return `${table}\n\nresults  ${paths.results}\nreport   ${paths.markdown}\npage     ${paths.html}\n`
}
