import { expect, test } from 'vitest'
import {
  enumerate,
  formatBytes,
  formatDuration,
  formatMetricName,
  formatPoint,
  formatRatio,
  formatRatioRange,
  formatValue,
} from '../../reports/format.ts'

test('bytes are binary units with three significant digits', () => {
  expect([0, 512, 1536, 1024 ** 2 - 1, 1024 ** 3, 163 * 1024 ** 2].map(formatBytes)).toEqual([
    '0 B',
    '512 B',
    '1.50 KiB',
    '1.00 MiB',
    '1.00 GiB',
    '163 MiB',
  ])
})

test('durations change their unit where a reader would', () => {
  expect([0, 0.52, 653.2, 999.7, 8420, 99_960, 125_000].map(formatDuration)).toEqual([
    '0 ms',
    '0.52 ms',
    '653 ms',
    '1.00 s',
    '8.42 s',
    '1 min 40 s',
    '2 min 05 s',
  ])
})

test('ratios near 1 keep the decimal that makes the difference', () => {
  expect([1.04, 5.13, 0.5, 31.4].map(formatRatio)).toEqual(['1.04×', '5.1×', '0.50×', '31×'])
  expect(formatRatioRange(4.84, 5.61)).toBe('4.8–5.6×')
})

test('lists end with "and"', () => {
  expect([[], ['a'], ['a', 'b'], ['a', 'b', 'c']].map(enumerate)).toEqual(['', 'a', 'a and b', 'a, b and c'])
})

test('a value is shown in its unit', () => {
  expect(formatValue(1536, 'bytes')).toBe('1.50 KiB')
  expect(formatValue(1536, 'bytes/s')).toBe('1.50 KiB/s')
  expect(formatValue(2.5, 's')).toBe('2.50 s')
  expect(formatValue(12, 'count')).toBe('12')
  expect(formatValue(12.345, 'count')).toBe('12.3')
  expect(formatValue(1.06, 'per-commit')).toBe('1.06 per commit')
  expect(formatValue(6.3, 'commits/s')).toBe('6.30 commits/s')
})

test('a name becomes words, without the unit that its value shows', () => {
  expect(
    ['apply.wallMs', 'commitLatencyP50Ms', 'leastCapBytes', 'rowsLost', 'commitsPerSecond'].map(
      formatMetricName,
    ),
  ).toEqual(['apply wall', 'commit latency p50', 'least cap', 'rows lost', 'commits per second'])
})

test('a point names each axis with its value and unit', () => {
  const axes = [
    { name: 's3LatencyMs', unit: 'ms', description: '', values: [0, 15] },
    { name: 'rowBytes', unit: 'bytes', description: '', values: [10240] },
    { name: 'partitioned', unit: null, description: '', values: [true] },
  ]
  expect(formatPoint({ s3LatencyMs: 15, rowBytes: 10240, partitioned: true }, axes)).toBe(
    's3 latency 15 ms, row 10.0 KiB, partitioned yes',
  )
  expect(formatPoint({}, axes)).toBe('')
})
