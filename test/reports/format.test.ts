import { expect, test } from 'vitest'
import {
  enumerate,
  formatBytes,
  formatDuration,
  formatRatio,
  formatRatioRange,
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
