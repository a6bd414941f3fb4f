import { Command } from 'commander'
import { ARMS, type Arm } from '../../backends/backend.ts'
import { interruptSignal } from '../../platform/interrupt.ts'
import { chosen } from '../bench/nearest.ts'
import { collect, parseSeed } from '../bench/values.ts'
import { blowsOf, CHAOS_DEFAULTS, measureChaos } from '../measure/chaos.ts'
import { measureInvoices } from '../measure/invoices.ts'
import { parseDuration, parseRows } from '../sync/values.ts'

const EXAMPLES = `
Examples:
  lakeduel measure chaos --blows 240                 kills at random moments, on every arm
  lakeduel measure invoices --kill-every 20s
  lakeduel measure chaos --arm delta/deltalite --seed 7

Each starts its own services where none are configured. docs/benchmarks.md has the figures that came out.
`

/** `lakeduel measure`: repeats the figures of docs/benchmarks.md. */
export function measureCommand(): Command {
  const command = new Command('measure')
    .description('measures the pipeline: what kills cost, how fast it is, what it needs')
    .addHelpText('after', EXAMPLES)
  command.addCommand(
    new Command('chaos')
      .description('kills parts of the pipeline at random, and compares the tables with undisturbed ones')
      .option('--blows <n>', 'kills and cuts in all', parseRows, CHAOS_DEFAULTS.blows)
      .option('--rows <n>', 'rows of each table', parseRows, CHAOS_DEFAULTS.rows)
      .option('--arm <names>', 'only these arms', collect, [])
      .option('--seed <n>', 'seed of rows and blows', parseSeed, CHAOS_DEFAULTS.seed)
      .option('--json', 'print JSON', false)
      .action(chaos),
  )
  command.addCommand(
    new Command('invoices')
      .description(
        'a million invoices from the Stripe-protocol server: what a sync adds to bare paging, and what kills cost',
      )
      .option('--invoices <n>', 'how many', parseRows, 1_000_000)
      .option('--latency <duration>', 'of each answer of the server', parseDuration, 5)
      .option('--to <arm>', 'the arm', 'ducklake/delete-insert')
      .option('--kill-every <duration>', 'kill a random process about so often', parseDuration)
      .option('--extractor-memory <size>', 'cap of the extractor', '768MiB')
      .option('--loader-memory <size>', 'cap of the loader', '2GiB')
      .action(invoices),
  )
  return command
}

interface InvoicesOptions {
  readonly invoices: number
  readonly latency: number
  readonly to: string
  readonly killEvery?: number
  readonly extractorMemory: string
  readonly loaderMemory: string
}

async function invoices(options: InvoicesOptions): Promise<void> {
  const [arm = 'ducklake/delete-insert'] = chosen('arm', [options.to], ARMS)
  const { invoices: count, latency, killEvery, extractorMemory, loaderMemory } = options
  const request = {
    invoices: count,
    latencyMs: latency,
    arm,
    killEveryMs: killEvery ?? null,
    extractorMemory,
    loaderMemory,
  }
  print(await measureInvoices(request, interruptSignal()))
}

function print(result: unknown): void {
  process.stdout.write(`${JSON.stringify(result, null, 2)}\n`)
}

interface ChaosOptions {
  readonly blows: number
  readonly rows: number
  readonly arm: readonly string[]
  readonly seed: number
  readonly json: boolean
}

async function chaos({ blows, rows, arm, seed, json }: ChaosOptions): Promise<void> {
  const arms: readonly Arm[] = arm.length === 0 ? ARMS : chosen('arm', arm, ARMS)
  const rounds = await measureChaos({ blows, rows, seed, arms }, interruptSignal())
  const wrong = rounds.filter(({ exact }) => !exact)
  const dealt = rounds.reduce((sum, round) => sum + blowsOf(round), 0)
  const text = `${dealt} blows in ${rounds.length} syncs over ${arms.length} arms: ${wrong.length === 0 ? 'every table is exact' : `${wrong.length} WRONG`}`
  process.stdout.write(json ? `${JSON.stringify(rounds, null, 2)}\n` : `${text}\n`)
  process.exitCode = wrong.length === 0 ? 0 : 1
}
