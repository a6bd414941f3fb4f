import { type ApplyMode, type Arm, formatOf } from '../backends/backend.ts'
import { treeUsage } from '../platform/storage/tree.ts'
import type { Metric, Point } from '../reports/schema.ts'
import { cost, rate, work } from './measure/metric.ts'
import type { CheckedEvent, LoaderDone } from './processes/protocol.ts'
import type { Place } from './runner/surroundings.ts'
import type {
  Dataset,
  Lab,
  Measured,
  Parameters,
  PlannedCell,
  PreparedDataset,
  Profile,
  Scenario,
} from './scenario.ts'

/** What a cell of such a scenario does around its batches, in this order. */
export type BatchPhase = 'read-before' | 'apply' | 'read-after' | 'maintain' | 'read-after-maintenance'

export interface BatchScenario extends Omit<Scenario, 'run'> {
  /** Names the dataset of a point; points with the same name share it. */
  readonly datasetKey: (point: Point) => string
  readonly dataset: (point: Point, parameters: Parameters, seed: number) => Dataset
  readonly mode: (point: Point) => ApplyMode
  /** At least `apply`, and a reading after it, which checks the table. */
  readonly phases: (cell: PlannedCell, profile: Profile) => readonly BatchPhase[]
}

/** A scenario whose cells apply the batches of a dataset to a copy of its table, and read it before and after. */
export function batchScenario(spec: BatchScenario): Scenario & BatchScenario {
  const { datasetKey, dataset, mode, phases } = spec
  return {
    sharedBy: datasetKey,
    ...spec,
    run: async (cell, lab) => {
      const format = formatOf(cell.arm)
      const key = datasetKey(cell.point)
      const prepared = await lab.dataset(key, () => dataset(cell.point, lab.parameters, lab.seed))
      const place = await lab.copyOf(await lab.table(key, format), format)
      const wanted = new Set(phases(cell, lab.profile))
      return await runBatches({ arm: cell.arm, lab, prepared, place, mode: mode(cell.point), wanted })
    },
  }
}

interface Running {
  readonly arm: Arm
  readonly lab: Lab
  readonly prepared: PreparedDataset
  readonly place: Place
  readonly mode: ApplyMode
  readonly wanted: ReadonlySet<BatchPhase>
}

async function runBatches(running: Running): Promise<Measured> {
  const { lab, place, wanted, prepared, mode } = running
  const loading = { arm: running.arm, place, table: prepared.dataset.table }
  const before = await treeUsage(place.storage)
  if (wanted.has('read-before')) await read(running, 'read-before', false)
  const apply = {
    kind: 'apply' as const,
    batches: prepared.batches,
    mode,
    runId: lab.surroundings.runId,
    firstBatchIndex: 0,
  }
  const { phase, done } = await lab.load('apply', { ...loading, work: apply })
  const after = await treeUsage(place.storage)
  const checks = [wanted.has('read-after') ? await read(running, 'read-after', true) : null]
  if (wanted.has('maintain')) await lab.load('maintain', { ...loading, work: { kind: 'maintain' } })
  const maintained = wanted.has('maintain') ? await treeUsage(place.storage) : null
  if (wanted.has('read-after-maintenance')) checks.push(await read(running, 'read-after-maintenance', true))
  return {
    metrics: {
      ...appliedMetrics(prepared, done),
      ...rateMetrics(prepared, done, phase.wallMs),
      ...storedMetrics(before, after, maintained),
      bytesWrittenPerRow: cost(Math.max(0, after.bytes - before.bytes) / Math.max(1, done.rowsRead), 'bytes'),
    },
    series: {},
    ...outcomeOf(checks),
  }
}

async function read({ lab, arm, place, prepared }: Running, phase: BatchPhase, check: boolean) {
  const { table, readQuery } = prepared.dataset
  const expectation = check ? prepared.expectation : null
  const { checked } = await lab.read(phase, { arm, place, table, query: readQuery, expectation })
  return checked
}

function appliedMetrics({ batches }: PreparedDataset, done: LoaderDone): Record<string, Metric> {
  const engine = Object.entries(done.engine).map(([name, value]) => [`engine.${name}`, work(value)])
  return {
    rowsApplied: work(done.rowsRead),
    payloadBytes: work(payloadBytesOf(batches), 'bytes'),
    batches: work(batches.length),
    commits: work(done.commits),
    attempts: cost(done.attempts),
    ...Object.fromEntries(engine),
  }
}

function rateMetrics(
  { batches }: PreparedDataset,
  { rowsRead }: LoaderDone,
  wallMs: number,
): Record<string, Metric> {
  const seconds = Math.max(1, wallMs) / 1_000
  return {
    rowsPerSecond: rate(rowsRead / seconds, 'rows/s'),
    payloadBytesPerSecond: rate(payloadBytesOf(batches) / seconds, 'bytes/s'),
  }
}

function payloadBytesOf(batches: PreparedDataset['batches']): number {
  return batches.flatMap((batch) => batch.parts).reduce((sum, part) => sum + part.payloadBytes, 0)
}

interface Stored {
  readonly objects: number
  readonly bytes: number
}

function storedMetrics(before: Stored, after: Stored, maintained: Stored | null): Record<string, Metric> {
  return {
    storedBytesBefore: work(before.bytes, 'bytes'),
    storedObjectsBefore: work(before.objects),
    storedBytesAfter: cost(after.bytes, 'bytes'),
    storedObjectsAfter: cost(after.objects),
    ...(maintained !== null && {
      storedBytesMaintained: cost(maintained.bytes, 'bytes'),
      storedObjectsMaintained: cost(maintained.objects),
    }),
    bytesWritten: cost(Math.max(0, after.bytes - before.bytes), 'bytes'),
  }
}

/** What the readings found together: the last one's content, and every finding of any. */
export function outcomeOf(checks: readonly (CheckedEvent | null)[]): Pick<Measured, 'findings' | 'oracle'> {
  const made = checks.filter((checked) => checked !== null)
  const last = made.at(-1)
  if (last === undefined) throw new Error('no reading of the cell checked the table')
  const { rows, distinctKeys, contentHash, checks: names } = last
  return {
    findings: made.flatMap(({ findings }) => findings),
    oracle: { rows, distinctKeys, contentHash, checks: names },
  }
}
