import { Command } from 'commander'
import { collect, parseMemoryCap } from '../bench/values.ts'
import type { SyncOptions } from '../sync/options.ts'
import { runSync } from '../sync/sync.ts'
import { parseCount, parseDuration, parseRows, parseSize } from '../sync/values.ts'

const EXAMPLES = `
Examples:
  lakeduel sync --source postgres --set url=postgresql://me@db/shop --table public.orders --to ducklake
  lakeduel sync --source stripe --table invoices --to delta          with LAKEDUEL_SOURCE_STRIPE_API_KEY set
  lakeduel sync --source files --set location=s3://bucket/events/ --table events --to ducklake --mode append
  lakeduel sync --file invoices.json                                 many tables; see docs/sync.md
  lakeduel sync --file invoices.json --no-worker                     extract only; workers load elsewhere
  lakeduel sync ... --max-memory 2GiB                                extractor and loader together stay below it

A sync that was killed goes on where it stopped when it is started again. SIGTERM (Ctrl-C) finishes or hands back what
is in hand and ends within --grace; a second one ends at once.

Exit codes: 0 done or drained, 1 a run failed or rows could not be loaded, 2 bad usage or configuration,
3 a tool is missing, 4 S3, Postgres or the source can't be reached or used, 5 the disk is full, 6 another sync has the table.
`

/** `lakeduel sync`: reads tables from a source into lake tables. */
export function syncCommand(): Command {
  const command = new Command('sync').description(
    'imports tables from a source into lake tables, with resume, bounded memory and exactly-once loads',
  )
  return withLimits(withPlan(command))
    .option('--storage <kind>', 's3, or local for tables in a directory')
    .option('--config <file>', 'a config file instead of lakeduel.config.json')
    .option('--include-values', 'let failure bundles hold values of rows, not only their shapes', false)
    .option('--json', 'print the outcome as JSON on stdout, and log lines of JSON on stderr', false)
    .addHelpText('after', EXAMPLES)
    .action((options: SyncOptions) => runSync(options))
}

/** What is synced. */
function withPlan(command: Command): Command {
  return command
    .option('--source <name>', 'a source of `lakeduel source list`, or the path of a folder with one')
    .option('--set <key=value>', 'a setting of the source (repeat it)', append, [])
    .option('--source-config <file>', 'a JSON file with settings of the source')
    .option(
      '--table <names>',
      'tables, as the source names them (repeat it, or separate with commas; default: all)',
      collect,
      [],
    )
    .option('--as <name>', 'the name in the lake, for a single table')
    .option('--to <destination>', 'ducklake, delta, or an arm such as ducklake/merge')
    .option('--lake <name>', 'the lake that tables go to (default: lake)')
    .option(
      '--mode <mode>',
      'full-refresh, append or incremental (default: incremental where the table allows it)',
    )
    .option('--incremental-field <column>', 'the column that tells what is new')
    .option('--primary-key <columns>', 'the key, as the source names it, separated by commas', collect)
    .option(
      '--partition <choice>',
      'auto, none, md5:COLUMNS:COUNT, numerical:COLUMN:SIZE, datetime:COLUMN:FORMAT, …',
    )
    .option(
      '--column <name=type>',
      'the type of a column, such as amount=decimal(18,2) (repeat it)',
      append,
      [],
    )
    .option('--nested <form>', 'nested values as json text or as struct')
    .option('--engine-set <key=value>', 'a setting of the arm (repeat it)', append, [])
    .option('--tuned <file>', 'take the settings that `lakeduel tune` found for a pod of the loader’s size')
    .option('--file <file>', 'a JSON file that says all of this, for many tables')
}

/** How much it may take, and how long. */
function withLimits(command: Command): Command {
  return command
    .option('--max-memory <size>', 'for extractor and loader together, such as 2GiB', parseMemoryCap)
    .option('--extractor-memory <size>', 'for the extractor alone', parseMemoryCap)
    .option('--loader-memory <size>', 'for the loader alone', parseMemoryCap)
    .option('--parallel <n>', 'tables that are extracted at once (default: 1)', parseCount)
    .option('--concurrency <n>', 'tables that are loaded at once (default: 1)', parseCount)
    .option('--batch-rows <n>', 'most rows of a batch (default: 500,000)', parseRows)
    .option('--batch-bytes <size>', 'most Arrow payload of a batch (default: 256MiB)', parseSize)
    .option('--page-rows <n>', 'most rows of a page (default: 20,000)', parseRows)
    .option(
      '--max-staged <size>',
      'staged and not loaded, from which on extracting pauses (default: 2GiB)',
      parseSize,
    )
    .option('--grace <duration>', 'how long SIGTERM may take, such as 30s (default: 30s)', parseDuration)
    .option('--claim-ttl <duration>', 'how long a silent loader keeps a batch (default: 12s)', parseDuration)
    .option(
      '--retry-backoff <duration>',
      'wait after the first failure of a batch (default: 15s)',
      parseDuration,
    )
    .option('--wait', 'wait for another sync of the same table instead of ending', false)
    .option('--no-worker', 'extract and queue only; loading is left to `lakeduel worker`')
}

function append(text: string, before: readonly string[]): readonly string[] {
  return [...before, text]
}
