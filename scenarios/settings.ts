import { type Arm, formatOf } from '../backends/backend.ts'
import type { Metric, Phase, Point, Series } from '../reports/schema.ts'
import { median } from '../reports/statistics/quantile.ts'
import { outcomeOf } from './batch-scenario.ts'
import { oneMerge } from './data/one-merge.ts'
import { duration, memory, ratio, work } from './measure/metric.ts'
import { CellFailed } from './runner/failure.ts'
import type { Dataset, Lab, Measured, Parameters, PlannedCell, ProfileSpec, Scenario } from './scenario.ts'
import { numberAt, parameter, S3_LATENCY } from './scenario.ts'
import { type Compared, type Overrides, sweep, type Tried } from './search/sweep.ts'
import { type Attempt, Trials } from './search/trials.ts'
import { settingsOf } from './settings/overrides.ts'
import { tunablesOf } from './settings/tunables.ts'

const MIB = 2 ** 20
const GIB = 2 ** 30
const MINUTE_MS = 60_000
/** The share of its time that a setting must save: less is noise on a busy machine. */
export const LEAST_GAIN = 0.05

/** The prefix of the metrics that hold what was chosen. */
export const CHOSEN = 'setting.'

async function run(cell: PlannedCell, lab: Lab): Promise<Measured> {
  const key = datasetKey(cell.point)
  const prepared = await lab.dataset(key, () => dataset(cell.point, lab))
  const table = await lab.table(key, formatOf(cell.arm))
  const tuning = new Tuning(cell, new Trials(cell.arm, lab, table, prepared))
  const rounds = parameter(lab.parameters, 'rounds')
  const tunables = tunablesOf(cell.arm, tuning.podBytes).slice(0, parameter(lab.parameters, 'settings'))
  const { best, compared } = await sweep((overrides) => tuning.attempt(overrides), {
    tunables,
    rounds,
    leastGain: LEAST_GAIN,
  })
  return await tuning.confirm(best, compared, rounds)
}

function datasetKey(point: Point): string {
  return `${numberAt(point, 'rows')}-${numberAt(point, 'rowBytes')}-${numberAt(point, 'partitions')}`
}

/** Keys at random, so that each batch touches every partition. */
function dataset(point: Point, { parameters, seed }: Lab): Dataset {
  const batchRows = parameter(parameters, 'batchRows')
  const updates = Math.floor(batchRows / 2)
  return oneMerge({
    rows: numberAt(point, 'rows'),
    rowBytes: numberAt(point, 'rowBytes'),
    partitions: numberAt(point, 'partitions'),
    updates,
    inserts: batchRows - updates,
    locality: 'random',
    seed,
  })
}

class Tuning {
  readonly podBytes: number
  readonly #trials: Trials
  #tries = 0

  constructor({ point }: PlannedCell, trials: Trials) {
    this.podBytes = numberAt(point, 'podBytes')
    this.#trials = trials
  }

  async attempt(overrides: Overrides): Promise<Tried> {
    const { phase } = await this.#merge(overrides)
    return phase === null ? null : passedTry(phase)
  }

  /** On fresh pairs, since the best of many tries is partly the luckiest; the last merge is that of the settings found. */
  async confirm(best: Overrides, compared: readonly Compared[], rounds: number): Promise<Measured> {
    const defaults: Tried[] = []
    const tuned: Exclude<Tried, null>[] = []
    for (let round = 0; round < rounds; round += 1) {
      defaults.push(await this.attempt({}))
      tuned.push(await this.#mustPass(best))
    }
    const checked = await this.#trials.check()
    return {
      metrics: { ...confirmed(defaults, tuned), ...chosen(best), tries: work(this.#tries) },
      series: seriesOf(compared),
      ...outcomeOf([checked]),
    }
  }

  async #mustPass(overrides: Overrides): Promise<Exclude<Tried, null>> {
    const { failure, phase } = await this.#merge(overrides)
    if (failure !== null) throw new CellFailed(failure)
    if (phase === null) throw new Error('a merge that passed has no figures')
    return passedTry(phase)
  }

  async #merge(overrides: Overrides): Promise<Attempt> {
    this.#tries += 1
    return await this.#trials.merge(this.podBytes, settingsOf(overrides))
  }
}

function passedTry({ wallMs, memory: { floorBytes, addedBytes } }: Phase): Exclude<Tried, null> {
  return { wallMs, peakBytes: floorBytes + addedBytes }
}

function confirmed(
  defaults: readonly Tried[],
  tuned: readonly Exclude<Tried, null>[],
): Record<string, Metric> {
  const passed = defaults.filter((tried) => tried !== null)
  const ratios = tuned.flatMap(({ wallMs }, round) => {
    const other = defaults[round] ?? null
    return other === null ? [] : [wallMs / other.wallMs]
  })
  return {
    'tuned.wallMs': duration(median(tuned.map(({ wallMs }) => wallMs))),
    'tuned.peakBytes': memory(Math.max(...tuned.map(({ peakBytes }) => peakBytes))),
    'default.failures': work(defaults.length - passed.length),
    ...(passed.length > 0 && {
      'default.wallMs': duration(median(passed.map(({ wallMs }) => wallMs))),
      'default.peakBytes': memory(Math.max(...passed.map(({ peakBytes }) => peakBytes))),
    }),
    ...(ratios.length > 0 && { tunedToDefault: ratio(median(ratios), 'time') }),
  }
}

function chosen(best: Overrides): Record<string, Metric> {
  return Object.fromEntries(Object.entries(best).map(([name, value]) => [`${CHOSEN}${name}`, work(value)]))
}

/** Of each setting the values that passed, by what they took of the time of what was best before. */
function seriesOf(compared: readonly Compared[]): Record<string, Series> {
  const series: Record<string, Series> = {}
  for (const { setting, value, timeRatio } of compared) {
    if (timeRatio === null) continue
    const points = series[setting]?.points ?? []
    series[setting] = {
      x: { name: setting, unit: 'count' },
      y: { name: 'time by that before', unit: 'ratio' },
      points: [...points, [value, timeRatio]],
    }
  }
  return series
}

interface Size {
  readonly podBytes: readonly number[]
  readonly rows: readonly number[]
  readonly rowBytes: readonly number[]
  readonly partitions: readonly number[]
  readonly s3LatencyMs: readonly number[]
  readonly batchRows: number
  readonly rounds: number
  /** How many of an arm's settings are tried. */
  readonly settings: number
  readonly minutes: number
}

function sized({ batchRows, rounds, settings, minutes, ...axes }: Size): ProfileSpec {
  return {
    axes,
    parameters: { batchRows, rounds, settings },
    repeat: 1,
    memoryCapBytes: null,
    phaseDeadlineMs: minutes * MINUTE_MS,
  }
}

function estimate(point: Point, parameters: Parameters, arm: Arm) {
  const storedBytes = numberAt(point, 'rows') * (numberAt(point, 'rowBytes') * 0.55 + 12)
  const tunables = tunablesOf(arm, numberAt(point, 'podBytes')).slice(0, parameter(parameters, 'settings'))
  const candidates = tunables.reduce((sum, { values }) => sum + values.length + 1, 2)
  const waitingMs = numberAt(point, 'partitions') * numberAt(point, 's3LatencyMs')
  return {
    shared: {
      wallMs: 5_000 + storedBytes / 8_000,
      memoryBytes: 2 * GIB,
      diskBytes: storedBytes * 5 + GIB / 4,
    },
    cell: {
      wallMs: candidates * parameter(parameters, 'rounds') * (4_000 + storedBytes / 60_000 + waitingMs),
      memoryBytes: numberAt(point, 'podBytes'),
      diskBytes: storedBytes * 3,
    },
  }
}

const isWhole = (from: number) => (value: unknown) =>
  typeof value === 'number' && Number.isInteger(value) && value >= from

/** What `lakeduel tune` runs. */
export const settings: Scenario = {
  name: 'settings',
  question: 'Which settings of an arm are fastest in a pod of a size, for a table of a shape?',
  description:
    'Merges the same batch into fresh copies of a table under the pod’s cap, with one setting after another at its candidate values beside the best so far, in turns; then confirms what it found on fresh pairs.',
  measures: 'the settings found, their time by that of the defaults, and the time ratio of every value tried',
  onDemand: true,
  axes: [
    {
      name: 'podBytes',
      unit: 'bytes',
      description: 'cap of the loader’s pod',
      accepts: isWhole(64 * MIB),
    },
    { name: 'rows', unit: 'rows', description: 'rows that are stored before', accepts: isWhole(100) },
    {
      name: 'rowBytes',
      unit: 'bytes',
      description: 'width of a row’s text, of which about half remains when it is compressed',
      accepts: isWhole(8),
    },
    {
      name: 'partitions',
      unit: null,
      description: 'partitions of the table, all of which the batch touches',
      accepts: isWhole(1),
    },
    S3_LATENCY,
  ],
  profiles: {
    smoke: sized({
      podBytes: [GIB],
      rows: [4_000],
      rowBytes: [64],
      partitions: [2],
      s3LatencyMs: [0],
      batchRows: 200,
      rounds: 1,
      settings: 1,
      minutes: 2,
    }),
    quick: sized({
      podBytes: [GIB],
      rows: [100_000],
      rowBytes: [128],
      partitions: [20],
      s3LatencyMs: [15],
      batchRows: 5_000,
      rounds: 3,
      settings: 2,
      minutes: 4,
    }),
    standard: sized({
      podBytes: [512 * MIB, 2 * GIB],
      rows: [400_000],
      rowBytes: [128],
      partitions: [50],
      s3LatencyMs: [15],
      batchRows: 20_000,
      rounds: 3,
      settings: 8,
      minutes: 10,
    }),
    full: sized({
      podBytes: [512 * MIB, GIB, 2 * GIB, 8 * GIB],
      rows: [2_000_000],
      rowBytes: [128, 4_096],
      partitions: [1, 100],
      s3LatencyMs: [0, 15],
      batchRows: 20_000,
      rounds: 5,
      settings: 8,
      minutes: 60,
    }),
  },
  excludes: (arm, point) =>
    tunablesOf(arm, numberAt(point, 'podBytes')).length === 0
      ? 'it is the pipeline of today, and stays as it is'
      : null,
  sharedBy: datasetKey,
  estimate,
  run,
}
