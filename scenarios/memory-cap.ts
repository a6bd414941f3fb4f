import { totalmem } from 'node:os'
import { formatOf } from '../backends/backend.ts'
import type { Metric, Point } from '../reports/schema.ts'
import { outcomeOf } from './batch-scenario.ts'
import { LOCALITIES } from './data/one-merge.ts'
import { cost, memory, ratio, work } from './measure/metric.ts'
import { memoryCapDataset } from './memory-cap/dataset.ts'
import { CellFailed } from './runner/failure.ts'
import type { Lab, Measured, Parameters, PlannedCell, ProfileSpec, Scenario } from './scenario.ts'
import { nameAt, numberAt, parameter } from './scenario.ts'
import { leastCap, type Trial } from './search/least-cap.ts'
import { type Attempt, Trials } from './search/trials.ts'

const MIB = 2 ** 20
const GIB = 2 ** 30
const MINUTE_MS = 60_000

async function run(cell: PlannedCell, lab: Lab): Promise<Measured> {
  const key = `${numberAt(cell.point, 'tableSize')}-${numberAt(cell.point, 'rowBytes')}-${nameAt(cell.point, 'locality')}`
  const prepared = await lab.dataset(key, () => memoryCapDataset(cell.point, lab.parameters, lab.seed))
  const table = await lab.table(key, formatOf(cell.arm))
  const trials = new Trials(cell.arm, lab, table, prepared)
  const found = await leastCap(
    (capBytes) => trials.mergeAndCheck(capBytes),
    searchAround(table.storedBytes, lab.parameters),
  )
  if (found.passedBytes === null) throw lastFailure(found.trials)
  const maintained = await climb(trials, found.passedBytes)
  return {
    metrics: {
      leastCapBytes: memory(found.passedBytes),
      greatestFailedCapBytes: memory(found.failedBytes ?? 0),
      capToStoredRatio: ratio(found.passedBytes / table.storedBytes, 'memory'),
      storedBytes: work(table.storedBytes, 'bytes'),
      maintenanceFailsUnderCap: cost(maintained.capBytes === found.passedBytes ? 0 : 1),
      ...(maintained.capBytes === null ? {} : { maintenanceCapBytes: memory(maintained.capBytes) }),
      ...endsByKind(found.trials),
    },
    series: { trials: seriesOf(found.trials) },
    ...outcomeOf([...found.trials.map(({ outcome }) => outcome.checked), ...maintained.checked]),
  }
}

/** A cap is this many times the one before it that was too small for maintenance, and no more than so many are tried. */
const CLIMB = 1.25
const MOST_CLIMBS = 8

interface Maintained {
  /** The first cap in which maintenance passed; null where none was. */
  readonly capBytes: number | null
  readonly checked: readonly Attempt['checked'][]
}

/** Maintains a table under the cap that its merge needs, and where that fails, one merged anew under larger ones. */
async function climb(trials: Trials, fromBytes: number): Promise<Maintained> {
  const checked: Attempt['checked'][] = []
  for (let climbs = 0; climbs <= MOST_CLIMBS; climbs += 1) {
    const capBytes = Math.round(fromBytes * CLIMB ** climbs)
    // Only maintenance is asked about, and a need varies from try to try: the merge before it gets more than it needs.
    const merged = await trials.mergeAndCheck(2 * capBytes)
    if (merged.failure !== null) throw new CellFailed(merged.failure)
    checked.push(merged.checked)
    if ((await trials.maintain(capBytes)) === null) return { capBytes, checked }
  }
  return { capBytes: null, checked }
}

/** The rule of thumb is 10 to 20 times the compressed size; nothing starts in 96 MiB, and the servers need memory, too. */
function searchAround(storedBytes: number, parameters: Parameters) {
  return {
    guessBytes: Math.max(320 * MIB, storedBytes / 4),
    floorBytes: 96 * MIB,
    ceilingBytes: Math.floor(totalmem() * 0.6),
    ratio: parameter(parameters, 'precision'),
    confirmations: parameter(parameters, 'confirmations'),
  }
}

function lastFailure(trials: readonly Trial<Attempt>[]): CellFailed {
  const failure = trials.at(-1)?.outcome.failure
  if (failure === null || failure === undefined) throw new Error('no try failed, and none passed')
  return new CellFailed(failure)
}

/** How often tries ended in each way: a kill, the engine's own word, a hang. */
function endsByKind(trials: readonly Trial<Attempt>[]): Record<string, Metric> {
  const metrics: Record<string, Metric> = {}
  for (const { outcome } of trials) {
    const name = `tries.${outcome.failure?.status ?? 'passed'}`
    metrics[name] = work((metrics[name]?.value ?? 0) + 1)
  }
  return metrics
}

function seriesOf(trials: readonly Trial<Attempt>[]): Measured['series'][string] {
  return {
    x: { name: 'cap', unit: 'bytes' },
    y: { name: 'passed', unit: 'count' },
    points: trials.map(({ capBytes, passed }) => [capBytes, passed ? 1 : 0]),
  }
}

interface Size {
  readonly rows: number
  readonly batchRows: number
  readonly tableSize: readonly number[]
  readonly locality: readonly string[]
  readonly rowBytes: readonly number[]
  readonly minutes: number
  readonly precision?: number
  readonly confirmations?: number
}

/** The cap that passed is less than `precision` times the one that failed: 1.12 is ±6 %. */
function sized({ precision = 1.12, confirmations = 2, ...size }: Size): ProfileSpec {
  const { rows, batchRows, tableSize, locality, rowBytes, minutes } = size
  return {
    axes: { tableSize, locality, rowBytes },
    parameters: { rows, batchRows, precision, confirmations },
    repeat: 1,
    memoryCapBytes: null,
    phaseDeadlineMs: minutes * MINUTE_MS,
  }
}

/** About as many tries as it takes to find both ends, to narrow what is between them and to confirm them. */
function triesOf(parameters: Parameters): number {
  const narrowing = Math.ceil(Math.log2(Math.LN2 / Math.log(parameter(parameters, 'precision'))))
  return 5 + narrowing + 2 * (parameter(parameters, 'confirmations') - 1)
}

/** Each try copies the table, merges, and half of them are read. */
function estimate(point: Point, parameters: Parameters) {
  const storedBytes =
    parameter(parameters, 'rows') * numberAt(point, 'tableSize') * (numberAt(point, 'rowBytes') * 0.55 + 12)
  return {
    shared: {
      wallMs: 5_000 + storedBytes / 8_000,
      memoryBytes: 4 * GIB,
      diskBytes: storedBytes * 5 + GIB / 4,
    },
    cell: {
      wallMs: triesOf(parameters) * (5_000 + storedBytes / 60_000),
      memoryBytes: 2 * GIB,
      diskBytes: storedBytes * 3,
    },
  }
}

export const memoryCap: Scenario = {
  name: 'memory-cap',
  question: 'What is the least memory in which a merge into one partition still succeeds?',
  description:
    'Searches the least cap of the loader’s pod by bisection, with a fresh copy of the table for each try, and tries both ends again; then maintains the merged table under that cap, and where that fails, under larger ones.',
  measures:
    'the least cap and its share of the compressed table, how tries ended, whether maintenance fits it, and else in what it does',
  axes: [
    {
      name: 'tableSize',
      unit: null,
      description: 'how many times the profile’s rows the table has',
      accepts: (value) => typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= 64,
    },
    {
      name: 'locality',
      unit: null,
      description: 'where the updated keys lie: spread over all files, in the last one, or at random',
      accepts: (value) => LOCALITIES.some((locality) => locality === value),
    },
    {
      name: 'rowBytes',
      unit: 'bytes',
      description: 'width of a row’s text, of which about half remains when it is compressed',
      accepts: (value) => typeof value === 'number' && value >= 8 && value <= 4_096,
    },
  ],
  profiles: {
    smoke: sized({
      rows: 4_000,
      batchRows: 200,
      tableSize: [1],
      locality: ['spread'],
      rowBytes: [64],
      minutes: 2,
      precision: 2,
      confirmations: 1,
    }),
    quick: sized({
      rows: 200_000,
      batchRows: 20_000,
      tableSize: [1],
      locality: ['spread'],
      rowBytes: [256],
      minutes: 4,
    }),
    standard: sized({
      rows: 400_000,
      batchRows: 20_000,
      tableSize: [1, 4],
      locality: ['spread'],
      rowBytes: [256],
      minutes: 10,
    }),
    // A million rows of 1 KiB are about half a gigabyte compressed.
    full: sized({
      rows: 2_000_000,
      batchRows: 20_000,
      tableSize: [1, 2, 4],
      locality: LOCALITIES,
      rowBytes: [128, 1_024],
      minutes: 60,
    }),
  },
  estimate,
  run,
}
