import { Command } from 'commander'
import { LakeduelError } from '../../platform/errors.ts'
import { renderComparisonMarkdown } from '../../reports/compare/markdown.ts'
import { matches } from '../../reports/compare/pattern.ts'
import { renderComparison } from '../../reports/compare/terminal.ts'
import { type Comparison, compareResults, EXIT_CODES } from '../../reports/compare.ts'
import { consoleOptions } from '../../reports/terminal.ts'
import { collect } from '../bench/values.ts'
import { assertAlike } from '../compare/assert-alike.ts'
import { tolerancesFrom } from '../compare/tolerances.ts'
import { readResults } from '../results/read.ts'

interface CompareOptions {
  readonly metric: readonly string[]
  readonly tolerance: readonly string[]
  readonly mixed?: boolean
  readonly all?: boolean
  readonly json?: boolean
  readonly markdown?: boolean
}

const WIDEST = 100

const HELP = `
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
  lakeduel compare a.json b.json --markdown >> "$GITHUB_STEP_SUMMARY"

Exit codes:
  0  nothing got worse             3  inconclusive
  1  regression                    4  usage: files that can't be read or compared
  2  wrong data                  130  interrupted
`

/** `lakeduel compare`: whether one results file is worse than another. */
export function compareCommand(): Command {
  return new Command('compare')
    .description('hold the results of a candidate against those of a baseline, metric by metric')
    .argument('<baseline>', 'results.json, results.ndjson, or the folder of a run')
    .argument('<candidate>', 'the same of what is judged')
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

async function compare(baselinePath: string, candidatePath: string, options: CompareOptions): Promise<void> {
  const tolerances = tolerancesFrom(options.tolerance)
  const [baseline, candidate] = await Promise.all([readResults(baselinePath), readResults(candidatePath)])
  const comparison = compareResults(baseline, candidate, { judges: judgesOf(options), tolerances })
  assertAlike(comparison, options)
  assertJudged(comparison, options)
  process.stdout.write(textOf(comparison, options))
  process.exitCode = EXIT_CODES[comparison.verdict]
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

function assertJudged({ judgements }: Comparison, { metric }: CompareOptions): void {
  if (metric.length === 0 || judgements.length > 0) return
  throw new LakeduelError('USAGE', `No metric that both files have is called ${metric.join(' or ')}.`, {
    remedy: 'Leave --metric out with --all to see what they are called, or use * for any text.',
  })
}
