import { constants } from 'node:fs'
import { copyFile, mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { Command } from 'commander'
import { loadConfig } from '../../platform/config/load.ts'
import { errorCode } from '../../platform/disk.ts'
import { LakeduelError } from '../../platform/errors.ts'
import { renderHistory } from '../../reports/history/terminal.ts'
import type { History } from '../../reports/history.ts'
import { consoleOptions } from '../../reports/terminal.ts'
import { ResultsFile } from '../../scenarios/runner/results-file.ts'
import { collect } from '../bench/values.ts'
import { historyFrom, keptFiles } from '../results/dated.ts'
import { readResults } from '../results/read.ts'

const EXAMPLES = `
Examples:
  lakeduel history add .lakeduel/results/2026-11-26T18-00-00     keep a run
  lakeduel history show                                          what changed, and between which commits
  lakeduel history show --metric 'apply.*' --json
  lakeduel report .lakeduel/history --format html --out history.html     the newest run, with charts over time

A change is a new level that lasts: three runs on each side at least, and in practice some ten runs before it is sure (E-divisive,
with random orders of the same runs for comparison). One run that is slow is none.
`

interface ShowOptions {
  readonly folder?: string
  readonly metric: readonly string[]
  readonly mixed: boolean
  readonly json: boolean
}

/** `lakeduel history add | show`. */
export function historyCommand(): Command {
  const command = new Command('history')
    .description('keeps dated results, and finds when a figure changed')
    .addHelpText('after', EXAMPLES)
  command.addCommand(
    new Command('add')
      .description('keep the results of runs; what is kept is never written again')
      .argument('<results...>', 'results.json files, or folders of runs')
      .option('--folder <folder>', 'where they are kept (default: history below LAKEDUEL_HOME)')
      .action(add),
  )
  command.addCommand(
    new Command('show')
      .description('the changes of what is kept, the newest first')
      .option('--folder <folder>', 'where they are kept (default: history below LAKEDUEL_HOME)')
      .option(
        '--metric <patterns>',
        'follow these metrics instead of the usual ones; * stands for any text',
        collect,
        [],
      )
      .option('--mixed', 'take in runs of other machines, fixtures and settings than the newest', false)
      .option('--json', 'print JSON', false)
      .action(show),
  )
  return command
}

async function add(paths: readonly string[], { folder }: Pick<ShowOptions, 'folder'>): Promise<void> {
  const kept = await folderOf(folder)
  // All are read before one is kept, so that a broken one among them leaves the history as it is.
  const runs = await Promise.all(paths.map(async (path) => [path, await readResults(path)] as const))
  await mkdir(kept, { recursive: true })
  for (const [path, { run }] of runs) {
    const target = join(kept, `${run.startedAt.replaceAll(/[:.]/g, '-')}-${run.id}.json`)
    const source = path.endsWith('.json') ? path : new ResultsFile(path).path
    const isNew = await copyFile(source, target, constants.COPYFILE_EXCL).then(
      () => true,
      (error: unknown) => {
        if (errorCode(error) !== 'EEXIST') throw error
        return false
      },
    )
    process.stdout.write(`${isNew ? 'kept' : 'kept before'}  ${target}\n`)
  }
}

async function show(options: ShowOptions): Promise<void> {
  const folder = await folderOf(options.folder)
  const files = await keptFiles(folder)
  if (files.length === 0) {
    throw new LakeduelError('USAGE', `No results are kept in ${folder}.`, {
      remedy: 'Keep some first: lakeduel history add RESULTS',
    })
  }
  const history = historyFrom(await Promise.all(files.map(readResults)), {
    patterns: options.metric,
    mixed: options.mixed,
  })
  const drawn = consoleOptions(process.stdout, process.env)
  process.stdout.write(
    options.json ? `${JSON.stringify(asJson(history), null, 2)}\n` : `${renderHistory(history, drawn)}\n`,
  )
}

function asJson({ runs, series, changes, leftOut }: History) {
  return { runs: runs.map(({ run }) => run.id), series: series.length, changes, leftOut }
}

async function folderOf(given: string | undefined): Promise<string> {
  return given ?? join((await loadConfig()).home, 'history')
}
