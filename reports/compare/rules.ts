import type { Metric } from '../schema.ts'

export type MetricKind = Metric['kind']

/** By what share a metric may get worse and still count as the same, by kind. */
export type Tolerances = Readonly<Record<MetricKind, number>>

/** Counts repeat exactly, so the default lets none pass. */
export const DEFAULT_TOLERANCES: Tolerances = { time: 0.05, cpu: 0.05, memory: 0.05, rate: 0.05, count: 0 }

/** A count that differs between repetitions of one thing is noisy; less than this isn't told from noise. */
export const VARYING_COUNT_TOLERANCE = 0.05

/**
 * The least tolerances of what depends on the speed of the machine where the two files were measured one after the other: by so
 * much two runs of the same thing may differ as wholes, whatever the spread within them. docs/gate.md has the measurement.
 */
const APART_TOLERANCES: Readonly<Partial<Record<MetricKind, number>>> = { time: 1, rate: 1, cpu: 0.5 }

/** The chance of one false alarm in a whole comparison, over all of its noisy metrics together. */
export const FAMILY_LEVEL = 0.01

/** The least number of pairs whose signed-rank interval covers 95 %. */
export const LEAST_PAIRS = 6

/** A count is believed to be exact when it is the same in so many repetitions of each side. */
export const EXACT_REPETITIONS = 3

/** A tolerance as it is applied: what depends on speed gets no less than `APART_TOLERANCES` in files that were measured apart. */
export function appliedTolerance(kind: MetricKind, tolerance: number, interleaved: boolean): number {
  return interleaved ? tolerance : Math.max(tolerance, APART_TOLERANCES[kind] ?? 0)
}

/**
 * Differences below this are nobody's concern, however large they are as a share: a read of 4 ms that takes 6 ms.
 * In the unit of the metric.
 */
export function negligible({ kind, unit }: Pick<Metric, 'kind' | 'unit'>): number {
  switch (unit) {
    case 'ms':
      return 10
    case 's':
      return kind === 'cpu' ? 0.05 : 0.01
    case 'bytes':
      return kind === 'memory' ? 1024 ** 2 : 0
    default:
      return 0
  }
}

/** Other readings of the memory that `memory.peakBytes` and `memory.addedBytes` judge already. They stay in the results. */
const OTHER_READINGS = /\.memory\.(?:floor|cgroupPeak|anonPeak|pssPeak)Bytes$/

/** Whether a metric can be better or worse at all, and isn't another reading of one that is judged. */
export function isJudged(name: string, { better }: Pick<Metric, 'better'>): boolean {
  return better !== 'neither' && !OTHER_READINGS.test(name)
}
