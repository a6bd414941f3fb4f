import { expect, test } from 'vitest'
import { estimatesOf } from '../../../cli/bench/estimate.ts'
import { planOf } from '../../../cli/bench/request.ts'

const GIVEN = {
  scenario: ['merge-partitions'],
  arm: ['ducklake/merge'],
  profile: 'full',
  repeat: 1,
  aa: false,
}

function estimateOf(...axis: readonly string[]) {
  const [estimate] = estimatesOf(planOf({ ...GIVEN, axis, set: [], keep: false }))
  if (estimate === undefined) throw new Error('nothing was planned')
  return estimate
}

test('what points share is counted once, and what they do not for each', () => {
  const one = estimateOf('partitions=100', 's3LatencyMs=0')
  const latencies = estimateOf('partitions=100', 's3LatencyMs=0,15,50')
  const partitions = estimateOf('partitions=10,100', 's3LatencyMs=0')
  expect(latencies.cells).toBe(3)
  expect(latencies.diskBytes).toBe(one.diskBytes)
  expect(partitions.diskBytes).toBeGreaterThan(one.diskBytes)
  expect(latencies.wallMs).toBeGreaterThan(one.wallMs)
})
