import { Command, CommanderError } from 'commander'
import { errorCode } from '../platform/disk.ts'
import { ERROR_CODES, LakeduelError, messageOf } from '../platform/errors.ts'
import { VERSION } from '../platform/version.ts'
import { plainLines } from '../reports/plain-text.ts'

const EXAMPLES = `
Examples:
  lakeduel bench                                  the quick benchmark: every scenario, every arm
  lakeduel bench --scenario merge-partitions --profile standard
  lakeduel answer RESULTS                         what the results of a run answer, in sentences
  lakeduel report RESULTS --format html           results as a page, Markdown, CSV, JUnit XML, …
  lakeduel compare BASELINE CANDIDATE             whether one run is worse than another
  lakeduel sync --source postgres --table public.orders --to ducklake
  lakeduel runs list                              what was synced, and what failed
  lakeduel migrate inspect s3://lake/events       a Delta table, before it moves to DuckLake
  lakeduel doctor                                 what is installed, and what to do about the rest

Exit codes:
  0  done                       3  a tool is missing, or set-up failed
  1  a cell failed or is wrong  4  S3 or Postgres can't be reached or used
  2  bad usage, configuration   5  the disk is full
     or results file            6  another sync has the table
                              130  interrupted
compare and gate have their own: 1 regression, 2 wrong data, 3 inconclusive, 4 anything else.
`

/** Each is loaded when it is named: all of them together take longer to load than most of them take to work. */
const COMMANDS: Readonly<Record<string, () => Promise<Command>>> = {
  bench: async () => (await import('./commands/bench.ts')).benchCommand(),
  report: async () => (await import('./commands/report.ts')).reportCommand(),
  answer: async () => (await import('./commands/answer.ts')).answerCommand(),
  compare: async () => (await import('./commands/compare.ts')).compareCommand(),
  gate: async () => (await import('./commands/gate.ts')).gateCommand(),
  history: async () => (await import('./commands/history.ts')).historyCommand(),
  sync: async () => (await import('./commands/sync.ts')).syncCommand(),
  runs: async () => (await import('./commands/runs.ts')).runsCommand(),
  source: async () => (await import('./commands/source.ts')).sourceCommand(),
  worker: async () => (await import('./commands/worker.ts')).workerCommand(),
  migrate: async () => (await import('./commands/migrate.ts')).migrateCommand(),
  tune: async () => (await import('./commands/tune.ts')).tuneCommand(),
  measure: async () => (await import('./commands/measure.ts')).measureCommand(),
  doctor: async () => (await import('./commands/doctor.ts')).doctorCommand(),
  services: async () => (await import('./commands/services.ts')).servicesCommand(),
}

/** The program with the command that is named, or with all of them, to be listed or suggested. */
async function programFor(named: string | undefined): Promise<Command> {
  const lakeduel = new Command('lakeduel')
    .description(
      'Delta Lake or DuckLake for your import pipeline? Real merges through real engines, measured.',
    )
    .version(VERSION)
    .addHelpText('after', EXAMPLES)
    .exitOverride()
    .showHelpAfterError('(add --help for all options)')
  const load = named !== undefined && Object.hasOwn(COMMANDS, named) ? COMMANDS[named] : undefined
  const loads = load === undefined ? Object.values(COMMANDS) : [load]
  for (const command of await Promise.all(loads.map((one) => one()))) adopt(lakeduel, command)
  return lakeduel
}

/** Adds a command that was made apart, and its own commands: they all report errors and exit as their parent does. */
function adopt(parent: Command, command: Command): void {
  command.copyInheritedSettings(parent)
  for (const child of command.commands) child.copyInheritedSettings(command)
  parent.addCommand(command)
}

/** The message, its cause where that says more, and the remedy, on stderr. What it quotes can't steer the terminal. */
function report(error: LakeduelError): void {
  process.stderr.write(`\nlakeduel: ${plainLines(error.message)}\n`)
  if (error.remedy !== undefined) process.stderr.write(`  ${plainLines(error.remedy)}\n`)
}

/**
 * What went wrong first; a clean-up that failed because of it comes after it.
 * (By name, since Node 22 has no `SuppressedError` and the compiler's stand-in for it is a plain Error.)
 */
function inOrder(error: unknown): readonly unknown[] {
  const both =
    error instanceof Error && error.name === 'SuppressedError' && 'suppressed' in error && 'error' in error
  return both ? [...inOrder(error.suppressed), ...inOrder(error.error)] : [error]
}

/** Commands whose 1, 2 and 3 are verdicts, so that whatever keeps them from one is 4. */
const JUDGES: ReadonlySet<string | undefined> = new Set(['compare', 'gate'])
const NOT_JUDGED = 4

function exitCodeOf(error: LakeduelError | CommanderError, command: string | undefined): number {
  const own = error instanceof LakeduelError ? error.exitCode : error.exitCode === 0 ? 0 : 2
  return JUDGES.has(command) && own !== 0 && own !== ERROR_CODES.INTERRUPTED.exitCode ? NOT_JUDGED : own
}

/** Runs a command line, and resolves to the exit code; what fails is told on stderr. */
export async function main(argv: readonly string[]): Promise<number> {
  process.stdout.on('error', endWithTheOutput)
  try {
    const program = await programFor(argv[2])
    await program.parseAsync(argv)
    return Number(process.exitCode ?? 0)
  } catch (thrown) {
    const [error, ...later] = inOrder(thrown)
    if (error instanceof CommanderError) return exitCodeOf(error, argv[2])
    if (error instanceof LakeduelError) {
      report(error)
      for (const other of later) process.stderr.write(`  Cleaning up failed, too: ${messageOf(other)}\n`)
      return exitCodeOf(error, argv[2])
    }
    process.stderr.write(`\nlakeduel: an error that it did not expect: ${messageOf(error)}\n`)
    if (error instanceof Error) process.stderr.write(`${error.stack ?? ''}\n`)
    return JUDGES.has(argv[2]) ? NOT_JUDGED : 1
  }
}

/** Whoever reads our output may have had enough of it, as `head` has; a disk that it goes to may be full. */
function endWithTheOutput(error: Error): void {
  if (errorCode(error) === 'EPIPE') process.exit(0)
  if (errorCode(error) !== 'ENOSPC') throw error
  process.stderr.write(`\nlakeduel: The output can't be written: ${error.message}\n`)
  process.exit(JUDGES.has(process.argv[2]) ? NOT_JUDGED : ERROR_CODES.DISK_FULL.exitCode)
}
