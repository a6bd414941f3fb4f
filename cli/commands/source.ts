import { Command } from 'commander'
import { collect, parseSeed } from '../bench/values.ts'
import { listSources } from '../source/list.ts'
import { newSource } from '../source/new.ts'
import { replaySource } from '../source/replay.ts'
import { testSource } from '../source/test.ts'
import { parseRows } from '../sync/values.ts'

const EXAMPLES = `
Examples:
  lakeduel source list
  lakeduel source new web-shop                    ./web-shop, which works as it is
  lakeduel source test ./web-shop                 does it keep the contract?
  lakeduel source test files --set location='data/*.csv'
  LAKEDUEL_SOURCE_STRIPE_API_KEY=… lakeduel source test stripe --table customers --max-rows 2000
  lakeduel source replay .lakeduel/failures/…     read the page that failed, and print its shape

Exit codes: 0 done; 1 a check failed, or the page fails still; 2 bad usage or settings.
`

/** `lakeduel source list | new | test | replay`. */
export function sourceCommand(): Command {
  const command = new Command('source')
    .description('lists sources, scaffolds and tests one, and replays a page that failed')
    .addHelpText('after', EXAMPLES)
  command.addCommand(
    new Command('list')
      .description('name the sources and their settings')
      .option('--json', 'print JSON')
      .action(listSources),
  )
  command.addCommand(
    new Command('new')
      .description('make a folder with a small source that keeps the contract, and its test')
      .argument('<name>', 'lower-case words with hyphens')
      .option('--into <folder>', 'where the folder is made', '.')
      .option('--json', 'print JSON')
      .action(newSource),
  )
  command.addCommand(
    settingsCommand('test', 'hold a source to the contract: paging, resume, order, bounds, errors')
      .argument('<source>', 'a name of `lakeduel source list`, or the path of a folder')
      .option(
        '--table <names>',
        'look at these tables (repeat it, or separate with commas; default: all)',
        collect,
        [],
      )
      .option('--seed <n>', 'decides which cursors of a large table are tried', parseSeed)
      .option('--max-rows <n>', 'look no further into a table', parseRows)
      .action(testSource),
  )
  command.addCommand(
    settingsCommand('replay', 'read the page that failed again, and print its shape')
      .argument('<bundle>', 'the folder of a failure bundle')
      .option('--cursor <file>', 'the cursor that the bundle withholds')
      .option('--source <name>', 'this source instead of the one that the bundle names')
      .action(replaySource),
  )
  return command
}

function settingsCommand(name: string, description: string): Command {
  return new Command(name)
    .description(description)
    .option('--config <file>', 'a JSON file with settings of the source')
    .option(
      '--set <key=value>',
      'a setting of the source (repeat it)',
      (text, before: readonly string[]) => [...before, text],
      [],
    )
    .option('--json', 'print JSON')
}
