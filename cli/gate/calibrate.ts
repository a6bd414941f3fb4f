import { Random } from '../../pipeline/sources/random.ts'
import { LakeduelError } from '../../platform/errors.ts'
import { renderCalibration } from '../../reports/calibration/markdown.ts'
import { recordedPairs } from '../../reports/calibration/recorded-pairs.ts'
import { calibrate } from '../../reports/calibration.ts'
import { readResults } from '../results/read.ts'

interface CalibrateOptions {
  readonly metric: readonly string[]
  readonly pairs: string
  readonly noise: string
  readonly trials: number
  readonly seed: number
  readonly json?: boolean
}

const METRICS = ['apply.*', 'storedObjectsAfter']

/** Fewer recorded pairs would be drawn over and over. */
const LEAST_RECORDED = 6

export async function calibrateGate(path: string, options: CalibrateOptions): Promise<void> {
  const results = await readResults(path)
  const recorded = recordedPairs(results).length
  if (recorded < LEAST_RECORDED) {
    throw new LakeduelError('USAGE', `The run has ${recorded} pairs of one cell that was measured twice.`, {
      remedy: `Give a run of bench --aa with --repeat ${LEAST_RECORDED} or more.`,
    })
  }
  const random = new Random(options.seed)
  const calibration = calibrate(results, {
    metrics: options.metric.length === 0 ? METRICS : options.metric,
    pairs: numbers('--pairs', options.pairs),
    noise: numbers('--noise', options.noise),
    trials: options.trials,
    random: () => random.share(),
    onRow: (done, of) => void process.stderr.write(`${done} of ${of} rows\n`),
  })
  process.stdout.write(
    options.json === true ? `${JSON.stringify(calibration, null, 2)}\n` : renderCalibration(calibration),
  )
}

function numbers(option: string, given: string): readonly number[] {
  const values = given.split(',').map(Number)
  if (values.every((value) => Number.isFinite(value) && value > 0)) return values
  throw new LakeduelError('USAGE', `${option} takes positive numbers, not "${given}".`, {
    remedy: 'For example: --pairs 8,14,30 --noise 1,0.25',
  })
}
