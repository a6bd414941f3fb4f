import { Random } from '../../pipeline/sources/random.ts'
import { LakeduelError } from '../../platform/errors.ts'
import { renderCalibration, renderProcedure } from '../../reports/calibration/markdown.ts'
import { tryProcedure } from '../../reports/calibration/procedure.ts'
import { pairsOfTwo, recordedPairs } from '../../reports/calibration/recorded-pairs.ts'
import { calibrate } from '../../reports/calibration.ts'
import { matches } from '../../reports/compare/pattern.ts'
import { readResults } from '../results/read.ts'

interface CalibrateOptions {
  readonly metric: readonly string[]
  readonly pairs: string
  readonly noise: string
  readonly trials: number
  readonly maxMinutes: number
  readonly seed: number
  readonly json?: boolean
}

const METRICS = ['apply.*', 'storedObjectsAfter']

/** Fewer recorded pairs would be drawn over and over. */
const LEAST_RECORDED = 6

/** @param otherPath what took turns with the run at `path`; without it that run has measured one arm twice itself */
export async function calibrateGate(
  path: string,
  otherPath: string | undefined,
  options: CalibrateOptions,
): Promise<void> {
  const results = await readResults(path)
  const recorded =
    otherPath === undefined ? recordedPairs(results) : pairsOfTwo(results, await readResults(otherPath))
  if (recorded.length < LEAST_RECORDED) {
    throw new LakeduelError(
      'USAGE',
      `There are ${recorded.length} pairs of one cell that was measured twice.`,
      {
        remedy: `Give a run of bench --aa with --repeat ${LEAST_RECORDED} or more, or both files of compare --out with --pairs ${LEAST_RECORDED} or more.`,
      },
    )
  }
  const common = commonOf(options)
  const calibration = calibrate(results, recorded, {
    ...common,
    pairs: numbers('--pairs', options.pairs),
    noise: numbers('--noise', options.noise),
  })
  const procedure = await tryProcedure(results, recorded, { ...common, maxMinutes: options.maxMinutes })
  process.stdout.write(
    options.json === true
      ? `${JSON.stringify({ ...calibration, procedure }, null, 2)}\n`
      : `${renderCalibration(calibration)}\n${renderProcedure(procedure)}`,
  )
}

function commonOf({ metric, seed, trials }: CalibrateOptions) {
  const random = new Random(seed)
  const metrics = metric.length === 0 ? METRICS : metric
  return {
    compare: {
      judges: (judged: { readonly metric: string }) =>
        metrics.some((pattern) => matches(pattern, judged.metric)),
    },
    trials,
    random: () => random.share(),
    onRow: (done: number, of: number) => void process.stderr.write(`${done} of ${of} rows\n`),
  }
}

function numbers(option: string, given: string): readonly number[] {
  const values = given.split(',').map(Number)
  if (values.every((value) => Number.isFinite(value) && value > 0)) return values
  throw new LakeduelError('USAGE', `${option} takes positive numbers, not "${given}".`, {
    remedy: 'For example: --pairs 8,14,30 --noise 1,0.25',
  })
}
