import fc from 'fast-check'
import { expect, test } from 'vitest'
import { conflictKind } from '../../../scenarios/concurrency/conflicts.ts'
import { namedFindings, rowsOf } from '../../../scenarios/concurrency/findings.ts'
import { concurrencyMetrics, jainIndex } from '../../../scenarios/concurrency/measures.ts'
import type { CheckedEvent, Expectation } from '../../../scenarios/processes/protocol.ts'
import type { WriterDone } from '../../../scenarios/processes/writer-protocol.ts'

const EXPECTED: Expectation = { rows: 100, distinctKeys: 100, contentHash: 'a', probes: [] }

function checked(rows: number, distinctKeys: number, findings: CheckedEvent['findings'] = []): CheckedEvent {
  return { event: 'checked', rows, distinctKeys, contentHash: 'b', checks: [], findings }
}

function writer(commits: number, wallMs: number, failures: readonly string[] = []): WriterDone {
  return {
    event: 'done',
    wallMs,
    commits: Array.from({ length: commits }, (_, index) => ({
      endedAtMs: (wallMs * (index + 1)) / commits,
      latencyMs: wallMs / commits,
      batchesTogether: 1,
    })),
    attempts: [
      ...Array.from({ length: commits }, () => ({ durationMs: 10, batches: 1, failure: null })),
      ...failures.map((failure) => ({ durationMs: 5, batches: 1, failure })),
    ],
    abandoned: [],
  }
}

test('fairness is one where all writers are as fast, and one of n where one has everything', () => {
  expect(jainIndex([writer(5, 100), writer(5, 100), writer(5, 100)])).toBeCloseTo(1)
  expect(jainIndex([writer(5, 100), writer(0, 100), writer(0, 100), writer(0, 100)])).toBeCloseTo(0.25)
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1, maxLength: 20 }), (counts) => {
      const index = jainIndex(counts.map((count) => writer(count, 100)))
      expect(index).toBeGreaterThanOrEqual(1 / counts.length - 1e-9)
      expect(index).toBeLessThanOrEqual(1 + 1e-9)
    }),
  )
})

test('attempts are counted per commit of the engine, and conflicts by their kind', () => {
  const phase = {
    wallMs: 2_000,
    cpuSeconds: 1,
    orchestratorCpuSeconds: 0,
    spillPeakBytes: null,
    memory: {
      floorBytes: 0,
      floorBytesByRole: {},
      vmHwmBytes: {},
      addedBytes: 0,
      cgroupPeakBytes: null,
      anonPeakBytes: null,
      pssPeakBytes: null,
    },
    s3: { status: 'unavailable' as const, reason: 'none' },
    postgres: { status: 'measured' as const, calls: 80, walBytes: 800 },
  }
  const writers = [
    writer(4, 2_000, ['COMMIT_CONFLICT: another transaction has deleted from it']),
    writer(4, 1_000, [
      'COMMIT_CONFLICT: Exceeded the maximum retry count of 10',
      'ENGINE_OUT_OF_MEMORY: x',
      'Y: z',
    ]),
  ]
  const metrics = concurrencyMetrics({ phase, writers, maintainer: null })
  const valueOf = (name: string) => metrics[name]?.value
  expect(valueOf('commitsPerSecond')).toBe(4)
  expect(valueOf('attemptsPerCommit')).toBe(12 / 8)
  expect(valueOf('conflicts')).toBe(4)
  expect(valueOf('conflicts.logical')).toBe(1)
  expect(valueOf('conflicts.retriesExhausted')).toBe(1)
  expect(valueOf('conflicts.outOfMemory')).toBe(1)
  expect(valueOf('conflicts.other')).toBe(1)
  expect(valueOf('commitLatencyP50Ms')).toBe(375)
  expect(valueOf('commitLatencyMaxMs')).toBe(500)
  expect(valueOf('postgresCallsPerCommit')).toBe(10)
})

test.each([
  ['COMMIT_CONFLICT: could not serialize access due to concurrent update', 'serialization'],
  ['COMMIT_CONFLICT: Failed to commit transaction: 15', 'retriesExhausted'],
  ['S3_UNREACHABLE: error sending request', 'unreachable'],
  ['BATCH_INVALID: HTTP Error: HTTP GET error on … (HTTP 404)', 'fileGone'],
])('%s is of the kind %s', (failure, kind) => {
  expect(conflictKind(failure)).toBe(kind)
})

test('rows are lost, doubled, or hidden from filters alone', () => {
  expect(rowsOf(checked(97, 97), EXPECTED)).toEqual({ rowsLost: 3, rowsDoubled: 0, keysHidden: 0 })
  expect(rowsOf(checked(104, 100), EXPECTED)).toEqual({ rowsLost: 0, rowsDoubled: 4, keysHidden: 0 })
  const missed = { check: 'key 7 by filter', expected: 'hash', actual: 'no row' }
  expect(rowsOf(checked(100, 100, [missed]), EXPECTED).keysHidden).toBe(1)
  // What isn't there is not hidden.
  expect(rowsOf(checked(99, 99, [missed]), EXPECTED).keysHidden).toBe(0)
})

test('findings name the fault of DuckLake that they match, and no other format has it', () => {
  const doubled = checked(104, 100, [{ check: 'rows of a full scan', expected: '100', actual: '104' }])
  const options = { isDuckLake: true, abandoned: 0 }
  const found = namedFindings(doubled, rowsOf(doubled, EXPECTED), options)
  expect(found.map(({ issue }) => issue)).toEqual(['duckdb/ducklake#1393', 'duckdb/ducklake#1393'])
  const onDelta = namedFindings(doubled, rowsOf(doubled, EXPECTED), { ...options, isDuckLake: false })
  expect(onDelta).toHaveLength(2)
  expect(onDelta.some(({ issue }) => issue !== undefined)).toBe(false)
  const hidden = checked(100, 100, [{ check: 'key 7 by filter', expected: 'hash', actual: 'no row' }])
  expect(namedFindings(hidden, rowsOf(hidden, EXPECTED), options)[0]?.issue).toBe('duckdb/ducklake#1372')
})

test('rows of batches that were given up are not missed, but doubled ones are still found', () => {
  const fewer = checked(90, 90, [
    { check: 'rows of a full scan', expected: '100', actual: '90' },
    { check: 'key 7 by filter', expected: 'hash', actual: 'no row' },
    { check: 'greatest key by statistics against a scan', expected: '9', actual: '8' },
  ])
  const options = { isDuckLake: false, abandoned: 1 }
  expect(namedFindings(fewer, rowsOf(fewer, EXPECTED), options).map(({ check }) => check)).toEqual([
    'greatest key by statistics against a scan',
  ])
  const doubled = checked(95, 90)
  expect(namedFindings(doubled, rowsOf(doubled, EXPECTED), options)).toHaveLength(1)
})
