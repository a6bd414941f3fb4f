import type { PodUsage } from '../../platform/pods/pod.ts'
import type { Phase } from '../../reports/schema.ts'
import type { PostgresUsage } from '../measure/postgres-usage.ts'
import type { S3Usage } from '../measure/s3-usage.ts'
import { S3_SCRIPT } from './s3-script.ts'
import { WORKS, type Work, type WorkDone } from './works.ts'

/** What an instrument recorded of known work. */
export interface Reading {
  readonly instrument: string
  readonly unit: 'ms' | 's' | 'bytes' | 'count'
  readonly expected: number
  /** Null where this machine or its servers don't have the instrument. */
  readonly recorded: number | null
  /** The share of `expected` by which `recorded` may differ; counts must not differ at all. */
  readonly tolerance: number
  readonly verdict: 'agrees' | 'off' | 'unavailable'
  /** Why the instrument is unavailable; else null. */
  readonly reason: string | null
}

/** One piece of known work as the instruments saw it. */
export interface Measured {
  readonly phase: Phase
  readonly done: WorkDone
  /** Of the pod, before the work began; null without a cgroup. */
  readonly usageBefore: PodUsage | null
}

const TOLERANCE = 0.02
const NO_CGROUP = 'no cgroup: memory is observed by process only, and not capped'

/** What each piece of work is there to show. Nothing is recorded of what was not done. */
export const READINGS: Readonly<Record<Work['kind'], (measured: Measured) => readonly Reading[]>> = {
  wait: ({ phase }) => [
    near('wall time', 'ms', WORKS.wait.ms, phase.wallMs),
    exactly('S3 requests while nothing is asked', 0, requestsOf(phase.s3), reasonOf(phase.s3)),
    exactly('Postgres calls while nothing is asked', 0, callsOf(phase.postgres), reasonOf(phase.postgres)),
    near('spill while nothing is written', 'bytes', 0, phase.spillPeakBytes),
  ],
  touch: ({ phase, usageBefore }) => [
    near('memory added, VmHWM', 'bytes', WORKS.touch.bytes, phase.memory.addedBytes),
    near(
      'memory added, peak of the cgroup',
      'bytes',
      WORKS.touch.bytes,
      addedTo(usageBefore?.currentBytes, phase.memory.cgroupPeakBytes),
      NO_CGROUP,
    ),
    near(
      'memory added, anonymous part of the cgroup',
      'bytes',
      WORKS.touch.bytes,
      addedTo(usageBefore?.anonBytes, phase.memory.anonPeakBytes),
      NO_CGROUP,
    ),
  ],
  burn: ({ phase, done }) => [near('processor time', 's', done.cpuSeconds, phase.cpuSeconds)],
  spill: ({ phase }) => [near('spill, peak of the folder', 'bytes', WORKS.spill.bytes, phase.spillPeakBytes)],
  s3: ({ phase }) => s3Readings(phase.s3),
  postgres: ({ phase }) => [
    exactly('Postgres calls', WORKS.postgres.calls, callsOf(phase.postgres), reasonOf(phase.postgres)),
  ],
}

function s3Readings(usage: S3Usage): readonly Reading[] {
  const reason = reasonOf(usage)
  const countOf = (operation: string): number | null =>
    usage.status === 'measured' ? (usage.byOperation[operation] ?? 0) : null
  return [
    exactly('S3 requests', S3_SCRIPT.requests, requestsOf(usage), reason),
    ...Object.entries(S3_SCRIPT.byOperation).map(([operation, count]) =>
      exactly(`S3 ${operation}`, count, countOf(operation), reason),
    ),
    near(
      'bytes that S3 received',
      'bytes',
      S3_SCRIPT.objectBytesIn,
      usage.status === 'measured' ? usage.bytesIn : null,
      reason,
    ),
    near(
      'bytes that S3 sent',
      'bytes',
      S3_SCRIPT.objectBytesOut,
      usage.status === 'measured' ? usage.bytesOut : null,
      reason,
    ),
  ]
}

function near(
  instrument: string,
  unit: Reading['unit'],
  expected: number,
  recorded: number | null,
  reason: string | null = null,
): Reading {
  return judged({ instrument, unit, expected, recorded, tolerance: TOLERANCE }, reason)
}

function exactly(
  instrument: string,
  expected: number,
  recorded: number | null,
  reason: string | null = null,
): Reading {
  return judged({ instrument, unit: 'count', expected, recorded, tolerance: 0 }, reason)
}

function judged(reading: Omit<Reading, 'verdict' | 'reason'>, reason: string | null): Reading {
  const { expected, recorded, tolerance } = reading
  if (recorded === null) return { ...reading, verdict: 'unavailable', reason }
  const agrees = Math.abs(recorded - expected) <= expected * tolerance
  return { ...reading, verdict: agrees ? 'agrees' : 'off', reason: null }
}

function addedTo(beforeBytes: number | undefined, peakBytes: number | null): number | null {
  return beforeBytes === undefined || peakBytes === null ? null : peakBytes - beforeBytes
}

function requestsOf(usage: S3Usage): number | null {
  return usage.status === 'measured' ? usage.requests : null
}

function callsOf(usage: PostgresUsage): number | null {
  return usage.status === 'measured' ? usage.calls : null
}

function reasonOf(usage: S3Usage | PostgresUsage): string | null {
  return usage.status === 'measured' ? null : usage.reason
}
