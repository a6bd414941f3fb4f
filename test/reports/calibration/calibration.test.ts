import { assert, describe, expect, test } from 'vitest'
import { Random } from '../../../pipeline/sources/random.ts'
import { tryProcedure } from '../../../reports/calibration/procedure.ts'
import { recordedPairs, scaledNoise } from '../../../reports/calibration/recorded-pairs.ts'
import { calibrate } from '../../../reports/calibration.ts'
import { metricsOf } from '../../../reports/metrics.ts'
import type { Cell, Results, SoundCell } from '../../../reports/schema.ts'
import { ARM, fileOf } from '../compare/made-up-pairs.ts'
import { passedCell } from '../made-up-results.ts'

const random = new Random(7)

/** A cell whose times scatter by some percent, and once in twenty by half as much again. */
function noisyCell(repetition: number, control: boolean): SoundCell {
  const factor = 0.97 + 0.06 * random.share() + (random.share() < 0.05 ? 0.5 : 0)
  const cell = passedCell('merge-partitions', ARM, 0, repetition)
  const { apply } = cell.phases
  assert(apply !== undefined)
  const stored = { value: 42, unit: 'count', better: 'lower', kind: 'count' } as const
  return {
    ...cell,
    repetition,
    control,
    phases: { apply: { ...apply, wallMs: apply.wallMs * factor, cpuSeconds: apply.cpuSeconds * factor } },
    metrics: { ...cell.metrics, storedObjectsAfter: stored },
  }
}

const measuredTwice = (repeat: number): Results =>
  fileOf(
    Array.from({ length: repeat }, (_, repetition): readonly Cell[] => [
      noisyCell(repetition, false),
      noisyCell(repetition, true),
    ]).flat(),
  )
const compare = {
  judges: ({ metric }: { readonly metric: string }) =>
    metric.startsWith('apply.') || metric === 'storedObjectsAfter',
}
const twenty = measuredTwice(20)
const calibration = calibrate(twenty, recordedPairs(twenty), {
  compare,
  pairs: [14],
  noise: [1],
  trials: 40,
  random: () => random.share(),
})
const countsOf = (effect: string) => calibration.rows.find((row) => row.effect === effect)?.counts

test('counts and lost rows are found in every trial', () => {
  for (const effect of ['one more S3 request', 'one more file', 'one lost row, the oracle content'])
    expect(countsOf(effect)).toEqual({ worse: 40, better: 0, same: 0, inconclusive: 0 })
})

test('of nothing there is no false alarm, though a neighbour comes and goes', () => {
  expect(countsOf('nothing')?.worse).toBe(0)
  expect(countsOf('nothing, a neighbour that comes and goes')?.worse).toBe(0)
})

test('the intervals of nothing hold no difference as often as they say', () => {
  const { holding, of } = calibration.intervals
  expect(of).toBeGreaterThan(40)
  expect(holding / of).toBeGreaterThanOrEqual(0.9)
})

test('large effects are found, and none is called the same', () => {
  expect(countsOf('50 % more time')?.worse).toBe(40)
  expect(countsOf('25 % more memory')?.worse).toBe(40)
  expect(countsOf('20 % more time')?.same).toBe(0)
})

describe('whole comparisons by turns', async () => {
  const trials = 10
  // Pairs that begin two seconds apart: 60 of them within two minutes, so that an alarm at 30 pairs or fewer can be confirmed.
  const recorded = measuredTwice(20)
  const cells = recorded.cells.map((cell) => ({ ...cell, startedAt: secondOf(2 * cell.repetition) }))
  const procedure = await tryProcedure(recorded, recordedPairs({ ...recorded, cells }), {
    compare,
    maxMinutes: 2,
    trials,
    random: () => random.share(),
  })
  const rowOf = (effect: string) => procedure.rows.find((row) => row.effect === effect)

  test('get as many pairs as the time was enough for when they were recorded', () => {
    expect(procedure).toMatchObject({ secondsPerPair: 2, mostPairs: 60 })
  })

  test('find what is planted, with the pairs of the confirmation', () => {
    for (const effect of ['one more S3 request', 'one more file', '50 % more time', '25 % more memory'])
      expect(rowOf(effect)).toMatchObject({ found: trials, open: 0, passed: 0 })
    expect(rowOf('one more S3 request')?.medianPairs).toBe(14)
    expect(rowOf('one lost row, the oracle content')).toMatchObject({ found: trials, medianPairs: 8 })
  })

  test('raise no false alarm', () => {
    expect(rowOf('nothing')?.found).toBe(0)
  })
})

function secondOf(second: number): string {
  return new Date(Date.UTC(2026, 0, 5, 10) + second * 1000).toISOString()
}

test('a run without a cell that was measured twice is refused', () => {
  const once = fileOf([noisyCell(0, false)])
  const options = { compare, pairs: [8], noise: [1], trials: 1, random: () => 0 }
  expect(() => calibrate(once, recordedPairs(once), options)).toThrow('no cell that was measured twice')
})

test('noise of a quarter has a quarter of the spread in times, and the same counts', () => {
  const pairs = recordedPairs(measuredTwice(12))
  const spread = (cells: typeof pairs, metric: string) => {
    const logs = cells.map(({ first }) => Math.log(metricsOf(first).get(metric)?.value ?? Number.NaN))
    return Math.max(...logs) - Math.min(...logs)
  }
  const calm = scaledNoise(pairs, 0.25)
  expect(spread(calm, 'apply.wallMs')).toBeCloseTo(spread(pairs, 'apply.wallMs') / 4, 9)
  expect(spread(calm, 'apply.s3.requests')).toBe(0)
})
