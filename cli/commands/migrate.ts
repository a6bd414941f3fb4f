import { Command, Option } from 'commander'
import { MODES } from '../../migrate/plan/decide.ts'
import { parseMemoryCap, wholeNumber } from '../bench/values.ts'
import { cutover } from '../migrate/cutover.ts'
import { follow } from '../migrate/follow.ts'
import { inspect } from '../migrate/inspect.ts'
import { plan } from '../migrate/plan.ts'
import { rollback } from '../migrate/rollback.ts'
import { run } from '../migrate/run.ts'
import { verify } from '../migrate/verify.ts'
import { parseCount, parseDuration } from '../sync/values.ts'

const EXAMPLES = `
Examples:
  lakeduel migrate inspect s3://lake/events       a Delta table: version, features, files, history
  lakeduel migrate plan s3://lake/events          what would become of each file, and what is lost
  lakeduel migrate run s3://lake/events --to 'ducklake:postgres:dbname=lake' --table events
  lakeduel migrate run --file tables.json --parallel 4 --report ./proofs
  lakeduel migrate verify --to 'ducklake:postgres:dbname=lake' --table events --rows --report ./proof
  lakeduel migrate follow --to 'ducklake:postgres:dbname=lake' --table events
  lakeduel migrate cutover --to 'ducklake:postgres:dbname=lake' --table events
  lakeduel migrate rollback --to 'ducklake:postgres:dbname=lake' --table events

A file of tables: {"to": "ducklake:postgres:dbname=lake", "tables": [{"uri": "s3://lake/events", "table": "events"},
{"uri": "s3://lake/users", "table": "users", "mode": "rewrite", "asOf": 12, "history": "all", "own": true}]}

A table is s3://bucket/path, file:///path or a local path. Keys and endpoint of S3 come from the environment or the
configuration, as for the other commands.
`
const MAX_VERSION = Number.MAX_SAFE_INTEGER
const SHOWN_COMMITS = 10
const FOLLOW_EVERY_MS = 5_000

/** `lakeduel migrate inspect | plan | run | verify | follow | cutover | rollback`. */
export function migrateCommand(): Command {
  const command = new Command('migrate')
    .description('moves Delta tables into a DuckLake catalog, without copying where that is safe')
    .addHelpText('after', EXAMPLES)
  for (const child of [
    inspectCommand(),
    planCommand(),
    runCommand(),
    verifyCommand(),
    followCommand(),
    cutoverCommand(),
    rollbackCommand(),
  ])
    command.addCommand(child)
  return command
}

function inspectCommand(): Command {
  return readingCommand('inspect', 'show a Delta table; nothing is written')
    .option('--history <n>', 'newest commits to show', parseVersion, SHOWN_COMMITS)
    .action(inspect)
}

function planCommand(): Command {
  return readingCommand('plan', 'decide what becomes of each file, and tell why; nothing is written')
    .addOption(modeOption())
    .option('--nan', 'also read columns of floats for NaN, as `run` does')
    .option('--max-memory <size>', 'the most memory to take', parseMemoryCap)
    .action(plan)
}

function readingCommand(name: string, description: string): Command {
  return new Command(name)
    .description(description)
    .argument('<uri>', 'the folder that holds _delta_log')
    .option('--as-of <version>', 'this version, not the latest', parseVersion)
    .option('--config <file>', 'read this config file')
    .option('--json', 'print JSON')
}

function runCommand(): Command {
  return catalogOptions(new Command('run'))
    .description('move a table, or many; run it again after a kill, and it goes on where it was')
    .argument('[uri]', 'the folder that holds _delta_log')
    .option('--to <dsn>', TO)
    .option('--table <name>', TABLE)
    .option('--file <file>', 'a JSON file that names many tables, instead of the URI and --table')
    .option('--parallel <n>', 'tables of a file at a time, of a catalog in Postgres', parseCount, 1)
    .option('--as-of <version>', 'move this version, not the latest', parseVersion)
    .addOption(modeOption())
    .option('--own', 'hand registered files over to DuckLake, which then deletes them like its own')
    .option(
      '--history <n>',
      'versions before it that become snapshots, too; all for as many as there are',
      parseHistory,
    )
    .option('--no-verify', 'publish the table without a proof')
    .option('--rows', 'prove row by row, too: of each table all rows are sorted')
    .option('--report <folder>', 'write the proofs there, as JSON, Markdown and HTML')
    .option('--keep-unproved', 'leave a table under its staging name when its proof fails')
    .option('--max-memory <size>', 'the most memory to take', parseMemoryCap)
    .action(run)
}

function verifyCommand(): Command {
  return lakeCommand('verify', 'compare a migrated table with the Delta table again, by two readers')
    .option('--rows', 'compare row by row, too')
    .option('--report <folder>', 'write the proof there, as JSON, Markdown and HTML')
    .option('--max-memory <size>', 'the most memory to take', parseMemoryCap)
    .action(verify)
}

function followCommand(): Command {
  return lakeCommand('follow', 'apply the commits of the Delta table as they come, until Ctrl-C')
    .option('--every <duration>', 'how often to look for new ones', parseDuration, FOLLOW_EVERY_MS)
    .option('--once', 'apply those that are there, and end')
    .option('--max-memory <size>', 'the most memory to take', parseMemoryCap)
    .action(follow)
}

function cutoverCommand(): Command {
  return lakeCommand(
    'cutover',
    'check that both tables are equal at the latest version, and tell how to switch; nothing is written',
  )
    .option('--rows', 'compare row by row, too')
    .option('--report <folder>', 'write the proof there, as JSON, Markdown and HTML')
    .option('--max-memory <size>', 'the most memory to take', parseMemoryCap)
    .action(cutover)
}

function rollbackCommand(): Command {
  return lakeCommand('rollback', 'undo a migration; the Delta table stays as it is')
    .option('--force', 'also when the table was written to since')
    .action(rollback)
}

const TO = 'the catalog: ducklake:postgres:dbname=…, ducklake:sqlite:FILE or ducklake:FILE'
const TABLE = 'the table there: TABLE or SCHEMA.TABLE'

/** A command on a table that was migrated. */
function lakeCommand(name: string, description: string): Command {
  return catalogOptions(new Command(name))
    .description(description)
    .requiredOption('--to <dsn>', TO)
    .requiredOption('--table <name>', TABLE)
}

function catalogOptions(command: Command): Command {
  return command
    .option('--data-path <uri>', 'where DuckLake writes; needed for a new catalog only')
    .option('--metadata-schema <name>', "the schema of the catalog's own tables in Postgres", 'public')
    .option('--config <file>', 'read this config file')
    .option('--json', 'print JSON')
}

function modeOption(): Option {
  return new Option(
    '--mode <mode>',
    'register what can be registered exactly, all or nothing, or rewrite all',
  )
    .choices(MODES)
    .default('auto')
}

function parseVersion(text: string): number {
  return wholeNumber(text, 0, MAX_VERSION)
}

function parseHistory(text: string): number | 'all' {
  return text === 'all' ? text : wholeNumber(text, 1, MAX_VERSION)
}
