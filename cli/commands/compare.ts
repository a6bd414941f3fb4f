import { Command } from 'commander'
import { LakeduelError } from '../../platform/errors.ts'
import { renderComparisonMarkdown } from '../../reports/compare/markdown.ts'
import { matches } from '../../reports/compare/pattern.ts'
import { renderComparison } from '../../reports/compare/terminal.ts'
import { type Comparison, compareResults, EXIT_CODES } from '../../reports/compare.ts'
import { plural } from '../../reports/format.ts'
import { consoleOptions } from '../../reports/terminal.ts'
import { collect, parseMinutes, wholeNumber } from '../bench/values.ts'
import { assertAlike, assertMeasured } from '../compare/assert-alike.ts'
import { compareLive, type LiveOptions } from '../compare/live.ts'
import {
  assertDiffer,
  prepareSubjects,
  type SubjectOptions,
  type Subjects,
  versionedOption,
} from '../compare/subjects.ts'
import { tolerancesFrom } from '../compare/tolerances.ts'
import { readResults } from '../results/read.ts'

interface CompareOptions extends SubjectOptions {
  readonly baselineCmd?: string
  readonly candidateCmd?: string
  readonly maxMinutes: number
  readonly pairs?: number
  readonly out?: string
  readonly metric: readonly string[]
  readonly tolerance: readonly string[]
  readonly mixed?: boolean
  readonly all?: boolean
  readonly json?: boolean
  readonly markdown?: boolean
}

const WIDEST = 100

const HELP = `
Versions and commits:
  --deltalake, --deltalite, --duckdb-extensions and --refs make what each side runs in first (a Python environment, a
  DuckDB with its extensions, or a worktree with its packages) and keep it below LAKEDUEL_HOME; then both take turns as
  two commands do. Run \`lakeduel services up\` before, or each side starts servers of its own. An extension of DuckDB
  fits one version of it, so that --duckdb-extensions takes both.

How it decides:
  counts     that repeat exactly are held to the unit; +1 request is worse
  the rest   is judged by the ratios within pairs of repetitions: worse takes an effect beyond the tolerance,
             an interval on one side of 1, and significance over all judged metrics together (Holm, 1 %)
  the same   takes an interval within the tolerance; what is neither stays inconclusive, with what it needs
  wrong data in the candidate fails, whatever else is better

Examples:
  lakeduel compare main.json pull-request.json
  lakeduel compare before/ after/ --metric 'apply.*'           a smaller family needs fewer pairs
  lakeduel compare a.json b.json --tolerance time=10% --tolerance count=1%
  lakeduel compare --max-minutes 20 --metric 'apply.*' \\
    --baseline-cmd  'node ../main/cli/main.ts bench --profile smoke --scenario merge-partitions --repeat 1 --out {out}' \\
    --candidate-cmd 'node cli/main.ts bench --profile smoke --scenario merge-partitions --repeat 1 --out {out}'
  lakeduel compare --deltalake 1.0.2,1.2.1 --metric 'apply.s3.*'     does an upgrade cost requests?
  lakeduel compare --duckdb-extensions 1.5.4,1.5.5 --max-minutes 4
  lakeduel compare --refs main,HEAD --bench '--profile smoke --scenario wide-json --arm ducklake/merge'
  lakeduel compare a.json b.json --markdown >> "$GITHUB_STEP_SUMMARY"

Exit codes:
  0  nothing got worse             3  inconclusive
  1  regression                    4  usage: files that can't be read or compared
  2  wrong data                  130  interrupted
`

/** `lakeduel compare`: whether one results file is worse than another. */
export function compareCommand(): Command {
  return withTurns(new Command('compare'))
    .description('hold the results of a candidate against those of a baseline, metric by metric')
    .argument('[baseline]', 'results.json, results.ndjson, or the folder of a run')
    .argument('[candidate]', 'the same of what is judged')
    .option('--metric <patterns>', 'judge only these metrics, * stands for any text', collect, [])
    .option(
      '--tolerance <kind=share>',
      'how much worse is still the same: time, cpu, memory, rate or count',
      collect,
      [],
    )
    .option('--mixed', 'compare files of other fixtures, settings or machines all the same')
    .option('--all', 'show what is the same, too')
    .option('--json', 'print JSON')
    .option('--markdown', 'print Markdown, as for a pull request')
    .addHelpText('after', HELP)
    .action(compare)
}

/** What takes turns instead of reading files: two commands, or two versions of something. */
function withTurns(command: Command): Command {
  return command
    .option(
      '--baseline-cmd <command>',
      'run this by turns with the candidate’s, instead of reading files; {out} is where results go',
    )
    .option('--candidate-cmd <command>', 'the command of what is judged')
    .option('--deltalake <a,b>', 'two published versions of delta-rs, each in an environment of its own')
    .option('--deltalite <a,b>', 'two published versions of deltalite, in the same way')
    .option(
      '--duckdb-extensions <a,b>',
      'two published versions of DuckDB, each with its own extensions (DuckLake and the others)',
    )
    .option('--refs <a,b>', 'two commits of lakeduel, each in a git worktree of its own')
    .option(
      '--bench <arguments>',
      'what lakeduel bench runs with each of the two (default: merge-partitions in smoke size, with an arm that uses them)',
    )
    .option('--max-minutes <n>', 'how long the commands take turns at most', parseMinutes, 20)
    .option(
      '--pairs <n>',
      'measure so many pairs and judge them once, instead of as many as it takes',
      (given: string) => wholeNumber(given, 2, 10_000),
    )
    .option('--out <folder>', 'keep what the two measured, as baseline.json and candidate.json')
}

async function compare(
  baselinePath: string | undefined,
  candidatePath: string | undefined,
  options: CompareOptions,
): Promise<void> {
  const { baselineCmd, candidateCmd } = options
  const versioned = versionedOption(options)
  const given = [
    baselinePath !== undefined || candidatePath !== undefined,
    (baselineCmd ?? candidateCmd) !== undefined,
    versioned !== null,
  ]
  if (given.filter((some) => some).length > 1) throw severalWays()
  if (versioned !== null) {
    const { subjects, commands } = await prepareSubjects(versioned, options)
    return await compareCommands(commands, options, subjects)
  }
  if (baselineCmd !== undefined && candidateCmd !== undefined)
    return await compareCommands({ baseline: baselineCmd, candidate: candidateCmd }, options)
  if (baselinePath === undefined || candidatePath === undefined) throw severalWays()
  assertNothingLive(options)
  const [baseline, candidate] = await Promise.all([readResults(baselinePath), readResults(candidatePath)])
  const comparison = compareResults(baseline, candidate, rulesOf(options))
  assertAlike(comparison, options)
  assertMeasured(comparison)
  assertJudged(comparison, options)
  process.stdout.write(textOf(comparison, options))
  process.exitCode = EXIT_CODES[comparison.verdict]
}

/** @throws LakeduelError `USAGE` for what says how to measure, where files were measured already */
function assertNothingLive({ pairs, out }: CompareOptions): void {
  if (pairs === undefined && out === undefined) return
  throw new LakeduelError('USAGE', 'Two files are compared as they are, and nothing is measured for it.', {
    facts: { pairs, out },
    remedy: 'Leave --pairs and --out away, or give two commands or two versions that take turns.',
  })
}

function severalWays(): LakeduelError {
  return new LakeduelError('USAGE', 'Give two results, two commands or two versions, and not some of each.', {
    remedy:
      'lakeduel compare BASELINE CANDIDATE, --baseline-cmd with --candidate-cmd, or one of --deltalake, --deltalite, --duckdb-extensions and --refs.',
  })
}

/** @param subjects what the commands are known to differ in */
async function compareCommands(
  commands: LiveOptions['commands'],
  options: CompareOptions,
  subjects?: Subjects,
): Promise<void> {
  const live = await compareLive({
    commands,
    maxMinutes: options.maxMinutes,
    pairs: options.pairs ?? null,
    out: options.out ?? null,
    compare: rulesOf(options),
    check: (comparison) => {
      assertAlike(comparison, options)
      assertMeasured(comparison)
      if (subjects !== undefined) assertDiffer(subjects, comparison)
      assertJudged(comparison, options)
    },
  })
  const { comparison, confirmation, verdict, pairs, note } = live
  const shown = confirmation === null ? [comparison] : [comparison, confirmation]
  const text =
    options.json === true
      ? `${JSON.stringify(live, null, 2)}\n`
      : `${shown.map((one) => textOf(one, options)).join('\n')}\n${verdict} after ${plural(pairs, 'pair')}: ${note}.\n`
  process.stdout.write(text)
  process.exitCode = EXIT_CODES[verdict]
}

function rulesOf(options: CompareOptions): LiveOptions['compare'] {
  return { judges: judgesOf(options), tolerances: tolerancesFrom(options.tolerance) }
}

function judgesOf({ metric: patterns }: CompareOptions): (judged: { readonly metric: string }) => boolean {
  return ({ metric }) => patterns.length === 0 || patterns.some((pattern) => matches(pattern, metric))
}

function textOf(comparison: Comparison, { json, markdown, all }: CompareOptions): string {
  if (json === true) return `${JSON.stringify(comparison, null, 2)}\n`
  if (markdown === true) return renderComparisonMarkdown(comparison)
  const { width, color } = consoleOptions(process.stdout, process.env)
  return `${renderComparison(comparison, { width: Math.min(width, WIDEST), color }, all === true)}\n`
}

function assertJudged({ judgements, outcomes }: Comparison, { metric }: CompareOptions): void {
  // An arm that fails on one side has no figure to judge, and its outcome is the verdict.
  const told = outcomes.some(({ reason }) => reason !== '')
  if (metric.length === 0 || judgements.length > 0 || told) return
  throw new LakeduelError('USAGE', `No metric that both files have is called ${metric.join(' or ')}.`, {
    remedy: 'Leave --metric out with --all to see what they are called, or use * for any text.',
  })
}
