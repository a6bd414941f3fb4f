import type { Phase } from '../../reports/schema.ts'
import { startCpuMeasurement } from '../measure/cpu.ts'
import { type MemoryRecord, startMemoryMeasurement } from '../measure/memory.ts'
import type { PostgresMeter } from '../measure/postgres-usage.ts'
import type { S3Meter } from '../measure/s3-requests.ts'
import { SpillWatch } from '../measure/spill.ts'
import type { Ready } from '../scenario.ts'

/** The instruments outside of the pods, which serve all cells of a run. */
export interface Instruments {
  readonly s3: S3Meter
  readonly postgres: PostgresMeter
  /** The folder that engines spill to. */
  readonly scratchDir: string
}

/** Does some work while no other run does any. */
export type Alone = <Result>(work: () => Promise<Result>) => Promise<Result>

export interface MeasuredPhase<Result> {
  readonly phase: Phase
  readonly result: Result
  /** Private memory over time where there is one pod; what several pods hold at one moment isn't known. */
  readonly memoryOverTime: readonly (readonly [ms: number, bytes: number])[]
}

/**
 * Measures the pods of processes that stand ready while `work` goes on. The wall time is the work's own where it tells one,
 * as a child does that keeps the time itself; what is read from servers is read before and after it.
 */
export async function measurePhase<Result>(
  processes: readonly Ready[],
  instruments: Instruments,
  work: () => Promise<Result & { readonly wallMs?: number }>,
): Promise<MeasuredPhase<Result>> {
  const s3Usage = await instruments.s3.start()
  const postgresUsage = await instruments.postgres.start()
  using measurements = new Measurements(processes)
  using spill = new SpillWatch(instruments.scratchDir)
  const startedAt = performance.now()
  const result = await work()
  const wallMs = result.wallMs ?? performance.now() - startedAt
  const { memoryOverTime, ...measured } = measurements.stop()
  return {
    result,
    memoryOverTime,
    phase: {
      wallMs,
      ...measured,
      s3: await s3Usage(),
      postgres: await postgresUsage(),
      spillPeakBytes: spill.peakBytes,
    },
  }
}

/** Memory and processor time of several pods at once. */
class Measurements implements Disposable {
  readonly #memory: readonly ReturnType<typeof startMemoryMeasurement>[]
  readonly #cpu: readonly ReturnType<typeof startCpuMeasurement>[]

  constructor(processes: readonly Ready[]) {
    this.#memory = processes.map(({ child, processes: roles }) =>
      startMemoryMeasurement(child.pod, { roles }),
    )
    this.#cpu = processes.map(({ child }) => startCpuMeasurement(child.pod))
  }

  stop(): Pick<Phase, 'memory' | 'cpuSeconds' | 'orchestratorCpuSeconds'> &
    Pick<MeasuredPhase<unknown>, 'memoryOverTime'> {
    const cpu = this.#cpu.map((end) => end())
    const results = this.#memory.map((measurement) => measurement.stop())
    const [first, ...others] = results
    return {
      memory: together(results.map(({ record }) => record)),
      memoryOverTime: others.length === 0 ? (first?.timeline ?? []) : [],
      cpuSeconds: cpu.reduce((sum, { cpuSeconds }) => sum + cpuSeconds, 0),
      orchestratorCpuSeconds: Math.max(0, ...cpu.map(({ orchestratorCpuSeconds }) => orchestratorCpuSeconds)),
    }
  }

  [Symbol.dispose](): void {
    for (const measurement of this.#memory) measurement[Symbol.dispose]()
  }
}

/** Sums over pods: peaks of different moments are added up, as they are over the processes of one pod. */
function together(records: readonly MemoryRecord[]): Phase['memory'] {
  const sum = (of: (record: MemoryRecord) => number) =>
    records.reduce((total, record) => total + of(record), 0)
  const sumKnown = (of: (record: MemoryRecord) => number | null) => {
    const known = records.map(of).filter((bytes) => bytes !== null)
    return known.length < records.length || records.length === 0 ? null : known.reduce((a, b) => a + b, 0)
  }
  return {
    floorBytes: sum(({ floorBytes }) => floorBytes),
    floorBytesByRole: byRole(records.map(({ floorBytesByRole }) => floorBytesByRole)),
    vmHwmBytes: byRole(records.map(({ vmHwmBytes }) => vmHwmBytes)),
    addedBytes: sum(({ addedBytes }) => addedBytes),
    cgroupPeakBytes: sumKnown(({ cgroupPeakBytes }) => cgroupPeakBytes),
    anonPeakBytes: sumKnown(({ anonPeakBytes }) => anonPeakBytes),
    pssPeakBytes: sumKnown(({ pssPeakBytes }) => pssPeakBytes),
  }
}

function byRole(records: readonly Readonly<Record<string, number>>[]): Record<string, number> {
  const total: Record<string, number> = {}
  for (const [role, bytes] of records.flatMap((record) => Object.entries(record))) {
    total[role] = (total[role] ?? 0) + bytes
  }
  return total
}
