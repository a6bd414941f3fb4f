import { Command } from 'commander'
import { wholeNumber } from '../bench/values.ts'
import { inspect } from '../migrate/inspect.ts'

const EXAMPLES = `
Examples:
  lakeduel migrate inspect s3://lake/events       a Delta table: version, features, files, history

A table is s3://bucket/path, file:///path or a local path. Keys and endpoint of S3 come from the environment or the
configuration, as for the other commands.
`
const MAX_VERSION = Number.MAX_SAFE_INTEGER
const SHOWN_COMMITS = 10

/** `lakeduel migrate inspect`. */
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
  return command
}

function parseVersion(text: string): number {
  return wholeNumber(text, 0, MAX_VERSION)
}
