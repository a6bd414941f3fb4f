import { writeFile } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import CliTable from 'cli-table3'
import { Command } from 'commander'
import { loadConfig } from '../../platform/config/load.ts'
import { formatBytes, formatDuration } from '../../reports/format.ts'
import { ResultsFile } from '../../scenarios/runner/results-file.ts'
import { dryRunText } from '../bench/dry-run.ts'
import { folderName } from '../bench/folder-name.ts'
import { type BenchOptions, planOf, planOfResumed } from '../bench/request.ts'
import { bench } from '../bench/run.ts'
import { collect, parseMemoryCap, parseSeed, wholeNumber } from '../bench/values.ts'
import { profilesOf, profilesText, type TunedProfile } from '../tune/profiles.ts'

const EXAMPLES = `
Examples:
  lakeduel tune --arm ducklake/merge --pod 512MiB,2GiB
  lakeduel tune --arm delta/deltalite --pod 1GiB --rows 1000000 --row-bytes 2000 --partitions 100 --s3-latency 15
  lakeduel tune --dry-run                         what it would try, and how long that takes
  lakeduel sync ... --loader-memory 1GiB --tuned tuned/tuned.json

One setting after another is tried at several values beside the best so far, in turns; a value is taken when it was
faster each time and saves 5 % or more, and none that failed in the pod. What is found is confirmed on fresh pairs.
`
const MOST = 1_000_000_000

interface TuneOptions {
  readonly arm: readonly string[]
  readonly pod: readonly number[]
  readonly rows?: number
  readonly rowBytes?: number
  readonly partitions?: number
  readonly s3Latency?: number
  readonly profile: string
  readonly seed?: number
  readonly out?: string
  readonly resume?: string
  readonly dryRun?: boolean
  readonly config?: string
  readonly json: boolean
}

/** `lakeduel tune`: finds an arm's settings for a pod and a table, and writes them for `lakeduel sync --tuned`. */
export function tuneCommand(): Command {
  return new Command('tune')
    .description('finds the settings of an arm that are fastest in a pod of a size, by trying them')
    .option('--arm <names>', 'arms (repeat it, or separate with commas; default: all)', collect, [])
    .option('--pod <sizes>', 'caps of the loader’s pod, such as 512MiB,2GiB', parsePods, [])
    .option('--rows <n>', 'rows that the table has', count(100))
    .option('--row-bytes <n>', 'width of a row', count(8))
    .option('--partitions <n>', 'partitions, all of which a batch touches', count(1))
    .option('--s3-latency <ms>', 'what the network adds to every answer of the object store', count(0))
    .option(
      '--profile <name>',
      'what is taken where nothing is given, and how much is tried: smoke, quick, standard, full',
      'quick',
    )
    .option('--seed <n>', 'seed of the generated data (default: 1)', parseSeed)
    .option('--out <folder>', 'where results and tuned.json go (default: a new folder below LAKEDUEL_HOME)')
    .option('--resume <folder>', 'go on with an earlier run: only the arms and pods that it lacks')
    .option('--dry-run', 'print what it would try and what that needs, and run nothing')
    .option('--config <file>', 'a config file instead of lakeduel.config.json')
    .option('--json', 'print what was found as JSON', false)
    .addHelpText('after', EXAMPLES)
    .action(tune)
}

async function tune(options: TuneOptions): Promise<void> {
  const asked = asBench(options)
  const resumed = options.resume === undefined ? null : await new ResultsFile(options.resume).load()
  const plan = resumed === null ? planOf(asked) : planOfResumed(asked, resumed)
  if (options.dryRun === true) {
    process.stdout.write(`${dryRunText(plan)}\n`)
    return
  }
  const config = await loadConfig({ flags: {}, configFile: options.config })
  const folder = resolve(options.resume ?? options.out ?? join(config.home, 'tuned', folderName()))
  const command = ['lakeduel', ...process.argv.slice(2)].join(' ')
  const { results, paths } = await bench({ plan, settings: {}, config, folder, resumed, command })
  const profiles = profilesOf(results)
  const path = join(dirname(paths.results), 'tuned.json')
  await writeFile(path, profilesText(profiles))
  process.stdout.write(options.json ? profilesText(profiles) : `${tableText(profiles)}\n\ntuned    ${path}\n`)
  if (results.cells.some(({ status }) => status !== 'ok' && status !== 'skipped')) process.exitCode = 1
}

function asBench(options: TuneOptions): BenchOptions {
  const { arm, pod, rows, rowBytes, partitions, s3Latency, profile } = options
  const axes = { rows, rowBytes, partitions, s3LatencyMs: s3Latency }
  const given = Object.entries(axes).flatMap(([name, value]) =>
    value === undefined ? [] : [`${name}=${value}`],
  )
  return {
    scenario: ['settings'],
    arm,
    profile,
    axis: [...given, ...(pod.length === 0 ? [] : [`podBytes=${pod.join()}`])],
    aa: false,
    set: [],
    keep: false,
    ...(options.seed === undefined ? {} : { seed: options.seed }),
  }
}

function tableText(profiles: readonly TunedProfile[]): string {
  const table = new CliTable({
    head: ['arm', 'pod', 'defaults', 'tuned', 'peak', 'settings apart from the defaults'],
    colAligns: ['left', 'right', 'right', 'right', 'right', 'left'],
    style: { head: [], border: [] },
  })
  for (const { arm, podBytes, settings, foundWith } of profiles) {
    table.push([
      arm,
      formatBytes(podBytes),
      foundWith.defaultMs === null ? 'failed' : formatDuration(foundWith.defaultMs),
      formatDuration(foundWith.tunedMs),
      formatBytes(foundWith.peakBytes),
      Object.keys(settings).length === 0 ? 'none is better' : JSON.stringify(settings),
    ])
  }
  return table.toString()
}

function parsePods(text: string, before: readonly number[]): readonly number[] {
  const sizes = text.split(',').map((size) => parseMemoryCap(size.trim()))
  return [...before, ...sizes.filter((size) => size !== null)]
}

function count(least: number): (text: string) => number {
  return (text) => wholeNumber(text, least, MOST)
}
