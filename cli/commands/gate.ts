import { Command } from 'commander'
import { LakeduelError } from '../../platform/errors.ts'
import { EXIT_CODES } from '../../reports/compare.ts'
import type { Gate } from '../../reports/gate/check.ts'
import { testCaseOf } from '../../reports/gate/test-cases.ts'
import { renderGate, renderGateMarkdown } from '../../reports/gate/text.ts'
import { compareWith, judgeGate } from '../../reports/gate.ts'
import { renderJunit } from '../../reports/junit.ts'
import type { Results } from '../../reports/schema.ts'
import { consoleOptions } from '../../reports/terminal.ts'
import { collect, parseMinutes, parseSeed, wholeNumber } from '../bench/values.ts'
import { assertAlike } from '../compare/assert-alike.ts'
import { calibrateGate } from '../gate/calibrate.ts'
import { readGateConfig } from '../gate/config.ts'
import { baselinePath, recordBaseline } from '../gate/record-baseline.ts'
import { readResults } from '../results/read.ts'
import { appendTo, writeWhole } from '../results/write.ts'

interface GateOptions {
  readonly config: string
  readonly baseline?: string
  readonly junit?: string
  readonly markdown?: string
  readonly json?: boolean
  readonly mixed?: boolean
}

interface BaselineOptions {
  readonly config: string
  readonly reason: string
  readonly json?: boolean
}

const CONFIG = 'lakeduel.gate.json'

const HELP = `
A gate is a JSON file:
  {
    "baseline": "benchmarks/baseline.json",
    "metrics": ["apply.*"],
    "budgets": [
      { "metric": "apply.memory.peakBytes", "atMost": "512 MiB" },
      { "arm": "ducklake/*", "metric": "apply.wallMs", "worseBy": "10%" },
      { "arm": "ducklake/merge", "metric": "apply.wallMs", "atMostTimes": 0.5, "of": "delta/merge-loop" }
    ],
    "acknowledged": [
      { "arm": "delta/*", "metric": "apply.s3.*", "reason": "deltalake 1.7 lists twice", "until": "2027-01-31" }
    ]
  }

Examples:
  lakeduel bench --profile smoke --repeat 14 --out run && lakeduel gate run
  lakeduel gate run --junit gate.xml --markdown gate.md
  lakeduel gate baseline run --reason "DuckDB 1.6 needs fewer requests"
  lakeduel gate run --baseline s3://benchmarks/main/baseline.json    with LAKEDUEL_S3_ENDPOINT, else on AWS
  lakeduel bench --profile smoke --scenario merge-partitions --arm ducklake/merge --aa --repeat 40 --out aa
  lakeduel gate calibrate aa                             what these rules find on this machine

In a GitHub Action the Markdown is added to the summary of the job by itself ($GITHUB_STEP_SUMMARY).

Exit codes:
  0  passed                        3  inconclusive
  1  regression or budget broken   4  usage: files that can't be read or compared
  2  wrong data                  130  interrupted
`

/** `lakeduel gate`: budgets and a baseline that a run is held against. */
export function gateCommand(): Command {
  const command = new Command('gate')
    .description('hold the results of a run against budgets and a baseline, for a CI job')
    .argument('<results>', 'results.json, results.ndjson, or the folder of a run')
    .option('--config <file>', 'the budgets and where the baseline is', CONFIG)
    .option(
      '--baseline <results>',
      'a baseline instead of the configured one: a file, a folder of a run, or s3://bucket/key',
    )
    .option('--junit <file>', 'write JUnit XML there')
    .option('--markdown <file>', 'write Markdown there')
    .option('--mixed', 'compare with a baseline of another fixture, setting or machine all the same')
    .option('--json', 'print JSON')
    .addHelpText('after', HELP)
    .action(gate)
  command.addCommand(baselineCommand())
  command.addCommand(calibrateCommand())
  return command
}

function baselineCommand(): Command {
  return new Command('baseline')
    .description('make the results of a run the baseline, and note why in baseline.log.ndjson beside it')
    .argument('<results>', 'results.json, or the folder of a run')
    .requiredOption('--reason <text>', 'why the figures may be others from now on')
    .option('--config <file>', 'where the baseline is', CONFIG)
    .option('--json', 'print JSON')
    .action((path: string, _options: unknown, own: Command) => baseline(path, own.optsWithGlobals()))
}

function calibrateCommand(): Command {
  return new Command('calibrate')
    .description(
      'how often these rules cry wolf and what they find, from a run that measured one arm twice (bench --aa)',
    )
    .argument('<results>', 'results.json, or the folder of a run with --aa')
    .argument('[candidate]', 'with the first, the two files that compare --out wrote of a thing with itself')
    .option(
      '--metric <patterns>',
      'which metrics are judged together (default: apply.* and storedObjectsAfter)',
      collect,
      [],
    )
    .option('--pairs <numbers>', 'numbers of pairs to try', '8,14,30')
    .option(
      '--noise <shares>',
      'what to scale the recorded noise to: 1 as it was, 0.25 a calm machine',
      '1,0.25',
    )
    .option('--trials <n>', 'trials of each', (given: string) => wholeNumber(given, 1, 100_000), 200)
    .option(
      '--max-minutes <n>',
      'how long whole comparisons by turns may take, at the pace of the recorded pairs',
      parseMinutes,
      20,
    )
    .option('--seed <n>', 'seed of what is drawn', parseSeed, 1)
    .option('--json', 'print JSON instead of Markdown')
    .action((path: string, other: string | undefined, _options: unknown, own: Command) =>
      calibrateGate(path, other, own.optsWithGlobals()),
    )
}

async function gate(path: string, options: GateOptions): Promise<void> {
  const config = await readGateConfig(options.config)
  const configured = options.baseline ?? baselinePath(config, options.config)
  const results = await readResults(path)
  const before = configured === null ? null : await readResults(configured)
  if (before !== null) assertAlike(compareWith(config, before, results), options)
  const judged = judgeGate(config, results, before, new Date().toISOString().slice(0, 10))
  await write(judged, options)
  process.exitCode = EXIT_CODES[judged.verdict]
}

async function write(judged: Gate, { junit, markdown, json }: GateOptions): Promise<void> {
  if (junit !== undefined) await writeWhole(junit, renderJunit(judged.checks.map(testCaseOf)))
  if (markdown !== undefined) await writeWhole(markdown, renderGateMarkdown(judged))
  const summary = process.env.GITHUB_STEP_SUMMARY
  if (summary !== undefined && summary !== '') await appendTo(summary, renderGateMarkdown(judged))
  const { width, color } = consoleOptions(process.stdout, process.env)
  const text =
    json === true
      ? JSON.stringify(judged, null, 2)
      : renderGate(judged, { width: Math.min(width, 100), color })
  process.stdout.write(`${text}\n`)
}

async function baseline(path: string, { config: configPath, reason, json }: BaselineOptions): Promise<void> {
  const target = baselinePath(await readGateConfig(configPath), configPath)
  const results: Results = await readResults(path)
  if (target === null || reason.trim() === '') {
    throw new LakeduelError(
      'USAGE',
      target === null ? `${configPath} names no baseline.` : 'The reason is empty.',
      {
        remedy:
          target === null
            ? 'Add "baseline": "benchmarks/baseline.json" to it.'
            : 'Say with --reason why the figures may change.',
      },
    )
  }
  const replacement = await recordBaseline({ path: target, results, reason }, new Date())
  const text = `${target} is now run ${replacement.run}, for: ${reason}`
  process.stdout.write(`${json === true ? JSON.stringify(replacement) : text}\n`)
}
