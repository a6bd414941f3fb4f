import type { Metric, Series } from '../../reports/schema.ts'
import { quantile } from '../../reports/statistics/quantile.ts'
import { cost, duration, rate, ratio, work } from '../measure/metric.ts'
import type { WriterDone } from '../processes/writer-protocol.ts'
import { conflictKind } from './conflicts.ts'
import type { Written } from './writers.ts'

/** Points of the distribution of latencies that are drawn. */
const CURVE_POINTS = 50

/**
 * A commit is a batch that its writer knows to be committed; where batches are committed together there are fewer
 * commits of the engine. Attempts are calls of the engine, which then are for several batches, too.
 */
export function concurrencyMetrics(written: Written): Record<string, Metric> {
  const { writers, phase } = written
  const commits = writers.flatMap((writer) => writer.commits)
  const attempts = writers.flatMap((writer) => writer.attempts)
  const engineCommits = attempts.filter(({ failure }) => failure === null).length
  const seconds = phase.wallMs / 1_000
  return {
    commits: work(commits.length),
    commitsPerSecond: rate(commits.length / seconds, 'commits/s'),
    engineCommitsPerSecond: { ...rate(engineCommits / seconds, 'commits/s'), better: 'neither' },
    batchesPerEngineCommit: {
      ...ratio(commits.length / Math.max(1, engineCommits), 'count'),
      better: 'neither',
    },
    attempts: cost(attempts.length),
    attemptsPerCommit: perCommit(attempts.length, engineCommits),
    abandoned: cost(writers.reduce((sum, { abandoned }) => sum + abandoned.length, 0)),
    fairness: { ...ratio(jainIndex(writers), 'rate'), better: 'higher' },
    ...latencyMetrics(commits.map(({ latencyMs }) => latencyMs)),
    ...conflictMetrics(written),
    ...storageMetrics(written, commits.length),
    ...catalogMetrics(written, commits.length),
    ...maintenanceMetrics(written.maintainer),
  }
}

function perCommit(count: number, commits: number): Metric {
  return { ...cost(count / Math.max(1, commits)), unit: 'per-commit' }
}

function latencyMetrics(latenciesMs: readonly number[]): Record<string, Metric> {
  if (latenciesMs.length === 0) return {}
  const at = (share: number) => quantile(latenciesMs, share)
  return {
    commitLatencyP50Ms: duration(at(0.5), latenciesMs),
    commitLatencyP95Ms: duration(at(0.95)),
    commitLatencyP99Ms: duration(at(0.99)),
    commitLatencyMaxMs: duration(at(1)),
    commitLatencyTail: ratio(at(0.99) / at(0.5), 'time'),
  }
}

/** (Σx)² ÷ (n · Σx²) of the writers' commits a second (Jain, Chiu and Hawe, 1984): 1 where all are equal, 1/n where one has all. */
export function jainIndex(writers: readonly WriterDone[]): number {
  const rates = writers.map(({ commits, wallMs }) => commits.length / Math.max(1, wallMs))
  const sum = rates.reduce((total, one) => total + one, 0)
  const squares = rates.reduce((total, one) => total + one ** 2, 0)
  return squares === 0 ? 1 : sum ** 2 / (rates.length * squares)
}

function conflictMetrics({ writers, maintainer }: Written): Record<string, Metric> {
  const all = [...writers, ...(maintainer === null ? [] : [maintainer])]
  const failures = all.flatMap(({ attempts }) => attempts.flatMap(({ failure }) => failure ?? []))
  const byKind = Map.groupBy(failures, conflictKind)
  return {
    conflicts: cost(failures.length),
    ...Object.fromEntries([...byKind].map(([kind, of]) => [`conflicts.${kind}`, cost(of.length)])),
  }
}

/** What writers sent to the object store, lost attempts included. */
function storageMetrics({ phase: { s3 } }: Written, commits: number): Record<string, Metric> {
  if (s3.status !== 'measured') return {}
  return { bytesWrittenPerCommit: cost(s3.bytesIn / Math.max(1, commits), 'bytes') }
}

/** What the catalog bears for a commit, whatever it holds of the format. */
function catalogMetrics({ phase: { postgres } }: Written, commits: number): Record<string, Metric> {
  if (postgres.status !== 'measured') return {}
  return {
    postgresCallsPerCommit: perCommit(postgres.calls, commits),
    walBytesPerCommit: cost(postgres.walBytes / Math.max(1, commits), 'bytes'),
  }
}

function maintenanceMetrics(maintainer: WriterDone | null): Record<string, Metric> {
  if (maintainer === null) return {}
  const latenciesMs = maintainer.commits.map(({ latencyMs }) => latencyMs)
  return {
    maintenances: work(maintainer.commits.length),
    maintenanceAttempts: cost(maintainer.attempts.length),
    maintenancesAbandoned: cost(maintainer.abandoned.length),
    ...(latenciesMs.length > 0 && { maintenanceMs: duration(quantile(latenciesMs, 0.5), latenciesMs) }),
  }
}

export function concurrencySeries({ writers }: Written): Record<string, Series> {
  const latenciesMs = writers.flatMap(({ commits }) => commits.map(({ latencyMs }) => latencyMs))
  const endedAtMs = writers
    .flatMap(({ commits }) => commits.map((commit) => commit.endedAtMs))
    .toSorted((left, right) => left - right)
  if (latenciesMs.length === 0) return {}
  const shares = Array.from({ length: CURVE_POINTS + 1 }, (_, index) => index / CURVE_POINTS)
  return {
    commitLatency: {
      x: { name: 'share of the commits', unit: 'ratio' },
      y: { name: 'that took no longer than', unit: 'ms' },
      points: shares.map((share): [number, number] => [share, quantile(latenciesMs, share)]),
    },
    commits: {
      x: { name: 'time', unit: 'ms' },
      y: { name: 'commits of all writers', unit: 'count' },
      points: endedAtMs.map((ended, index): [number, number] => [ended, index + 1]),
    },
  }
}
