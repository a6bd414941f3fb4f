import { Command } from 'commander'
import { LakeduelError } from '../../platform/errors.ts'
import { interruptSignal } from '../../platform/interrupt.ts'
import { renderConsole } from '../../reports/console.ts'
import { bencherMetricFormat } from '../../reports/export/bencher.ts'
import { cellTestCases } from '../../reports/export/cell-test-cases.ts'
import { resultsCsv } from '../../reports/export/csv.ts'
import { customBenchmark } from '../../reports/export/custom-benchmark.ts'
import { renderHtml } from '../../reports/html.ts'
import { renderJunit } from '../../reports/junit.ts'
import { renderMarkdown } from '../../reports/markdown.ts'
import type { Results } from '../../reports/schema.ts'
import { consoleOptions } from '../../reports/terminal.ts'
import { chosen } from '../bench/nearest.ts'
import { collect, wholeNumber } from '../bench/values.ts'
import { serveReport } from '../report/serve.ts'
import { historyFrom, withKeptFiles } from '../results/dated.ts'
import { readResults } from '../results/read.ts'
import { writeWhole } from '../results/write.ts'

interface ReportOptions {
  readonly format: string
  readonly out?: string
  readonly metric: readonly string[]
  readonly serve?: true
  readonly port?: number
}

type Render = (files: readonly Results[], metrics: readonly string[]) => string

const FORMATS: Readonly<Record<string, Render>> = {
  terminal: (files) => joined(files, terminal),
  markdown: (files) => joined(files, renderMarkdown),
  html: page,
  csv: resultsCsv,
  json: (files) => `${JSON.stringify(files.length === 1 ? files[0] : files, null, 2)}\n`,
  junit: (files) => renderJunit(cellTestCases(files)),
  'custom-smaller': (files) => customBenchmark(files, 'lower'),
  'custom-bigger': (files) => customBenchmark(files, 'higher'),
  bencher: bencherMetricFormat,
}

const HELP = `
Formats:
  terminal        the tables and verdicts that end a run (default)
  markdown        the whole report, as for a pull request
  html            one page that works offline, with charts and their data: of the newest run, and of what changed where there are several
  csv             every value of every cell
  json            the results as this lakeduel reads them, earlier schema versions brought up to date
  junit           every cell as a test case
  custom-smaller  for github-action-benchmark, tool customSmallerIsBetter
  custom-bigger   the same for what should be larger, tool customBiggerIsBetter
  bencher         Bencher Metric Format, for bencher run --adapter json

Examples:
  lakeduel report run                                    of results.json or the folder of a run
  lakeduel report run --format html --out report.html
  lakeduel report .lakeduel/history --format html --out history.html     the newest run, with charts over time
  lakeduel report run >> "$GITHUB_STEP_SUMMARY" --format markdown
  lakeduel report monday tuesday --format csv --out both.csv
  lakeduel report run --serve                            in a browser, while the run goes on
  lakeduel report .lakeduel/results --serve              all runs in a folder, each with its page
`

const port = (given: string): number => wholeNumber(given, 1, 65_535)

/** `lakeduel report`: results in the form that someone or something reads. */
export function reportCommand(): Command {
  return new Command('report')
    .description(
      'turn results into a report: for the terminal, a pull request, a browser, a spreadsheet or another tool',
    )
    .argument('<results...>', 'results.json, results.ndjson, the folder of a run, or one of lakeduel history')
    .option('--format <name>', Object.keys(FORMATS).join(', '), 'terminal')
    .option('--out <file>', 'write it there instead of on stdout')
    .option(
      '--metric <patterns>',
      'of a page of several runs: show these metrics over time instead of the usual ones; * stands for any text',
      collect,
      [],
    )
    .option(
      '--serve',
      'show it in a browser on this machine, a run or a folder of several, and again whenever one has gone on, until Ctrl-C',
    )
    .option('--port <n>', 'the port of --serve (default: any that is free)', port)
    .addHelpText('after', HELP)
    .action(report)
}

async function report(paths: readonly string[], options: ReportOptions, command: Command): Promise<void> {
  if (options.serve === true) return serve(paths, options, command)
  const { format, out } = options
  const [name = 'terminal'] = chosen('format', [format], Object.keys(FORMATS))
  if (name !== 'html' && options.metric.length > 0) {
    throw new LakeduelError('USAGE', '--metric chooses what a page shows over time.', {
      remedy: 'Say --format html with several results or a history folder, or leave --metric out.',
    })
  }
  const files = await Promise.all((await withKeptFiles(paths)).map(readResults))
  const text = FORMATS[name]?.(files, options.metric) ?? ''
  if (out === undefined) process.stdout.write(text)
  else await writeWhole(out, text)
}

async function serve(
  [path = '', ...others]: readonly string[],
  options: ReportOptions,
  command: Command,
): Promise<void> {
  if (
    others.length > 0 ||
    options.out !== undefined ||
    command.getOptionValueSource('format') !== 'default'
  ) {
    throw new LakeduelError('USAGE', '--serve shows one folder in a browser, and writes nothing.', {
      remedy: 'Give one folder, and neither --format nor --out.',
    })
  }
  const signal = interruptSignal()
  const onListening = (url: string) => process.stderr.write(`${url} shows ${path}, until Ctrl-C.\n`)
  await serveReport(path, { port: options.port ?? null, signal, onListening })
}

function terminal(results: Results): string {
  const { width, color } = consoleOptions(process.stdout, process.env)
  return `${renderConsole(results, { width: Math.min(width, 100), color })}\n`
}

/** The page of the newest run, with charts over time where there are several. */
function page(files: readonly Results[], metrics: readonly string[]): string {
  const [only] = files
  if (files.length === 1 && only !== undefined) return renderHtml(only)
  const history = historyFrom(files, { patterns: metrics, mixed: false })
  const newest = history.runs.at(-1)
  if (newest === undefined) throw new Error('the newest run is never left out')
  return renderHtml(newest, { history })
}

function joined(files: readonly Results[], render: (results: Results) => string): string {
  return files.map((results) => render(results)).join('\n')
}
