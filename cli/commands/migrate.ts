import { Command, Option } from 'commander'
import { MODES } from '../../migrate/plan/decide.ts'
import { parseMemoryCap, wholeNumber } from '../bench/values.ts'
import { inspect } from '../migrate/inspect.ts'
import { plan } from '../migrate/plan.ts'

const EXAMPLES = `
Examples:
  lakeduel migrate inspect s3://lake/events       a Delta table: version, features, files, history
  lakeduel migrate plan s3://lake/events          what would become of each file, and what is lost

A table is s3://bucket/path, file:///path or a local path. Keys and endpoint of S3 come from the environment or the
configuration, as for the other commands.
`
const MAX_VERSION = Number.MAX_SAFE_INTEGER
const SHOWN_COMMITS = 10

/** `lakeduel migrate inspect | plan`. */
export function migrateCommand(): Command {
  const command = new Command('migrate')
    .description('moves Delta tables into a DuckLake catalog, without copying where that is safe')
    .addHelpText('after', EXAMPLES)
  command.addCommand(
    new Command('inspect')
      .description('show a Delta table; nothing is written')
      .argument('<uri>', 'the folder that holds _delta_log')
      .option('--as-of <version>', 'show this version, not the latest', parseVersion)
      .option('--history <n>', 'newest commits to show', parseVersion, SHOWN_COMMITS)
      .option('--config <file>', 'read this config file')
      .option('--json', 'print JSON')
      .action(inspect),
  )
  command.addCommand(
    new Command('plan')
      .description('decide what becomes of each file, and tell why; nothing is written')
      .argument('<uri>', 'the folder that holds _delta_log')
      .option('--as-of <version>', 'plan for this version, not the latest', parseVersion)
      .addOption(modeOption())
      .option('--max-memory <size>', 'the most memory to take', parseMemoryCap)
      .option('--config <file>', 'read this config file')
      .option('--json', 'print JSON')
      .action(plan),
  )
  return command
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
