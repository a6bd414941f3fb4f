import { Command } from 'commander'
import { ARMS, type Arm } from '../../backends/backend.ts'
import { interruptSignal } from '../../platform/interrupt.ts'
import { chosen } from '../bench/nearest.ts'
import { collect, parseSeed } from '../bench/values.ts'
import { blowsOf, CHAOS_DEFAULTS, measureChaos } from '../measure/chaos.ts'
import { parseRows } from '../sync/values.ts'

const EXAMPLES = `
Examples:
  lakeduel measure chaos --blows 240                 kills at random moments, on every arm
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
  return command
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
