import { expect, test } from 'vitest'
import { historyOf } from '../../../reports/history.ts'
import { OPTIONS, slower } from './made-up-history.ts'

test('a change lies between the commits of the last run before it and the first run after it', () => {
  const { changes, runs } = historyOf(slower.toReversed(), OPTIONS)
  expect(runs.map(({ run }) => run.id)).toEqual(slower.map(({ run }) => run.id))
  expect(changes.filter(({ series }) => series.metric === 'mergeMs')).toMatchObject([
    {
      direction: 'worse',
      series: { scenario: 'longevity', arm: 'ducklake/merge' },
      last: { commit: 'sha-10' },
      first: { commit: 'sha-11' },
      before: 1_001,
      after: 1_301,
    },
  ])
})

test('a run that is given twice counts once', () => {
  expect(historyOf([...slower, ...slower], OPTIONS).runs).toHaveLength(slower.length)
})

test('runs of another machine are left out and named, unless they are asked for', () => {
  const [first, ...others] = slower
  if (first === undefined) throw new Error('there are runs')
  const elsewhere = { ...first, environment: { ...first.environment, cores: 64 } }
  const { leftOut, runs } = historyOf([elsewhere, ...others], OPTIONS)
  expect(leftOut).toMatchObject([{ runId: 'run-1' }])
  expect(leftOut[0]?.differences.join()).toContain('64')
  expect(runs).toHaveLength(others.length)
  expect(historyOf([elsewhere, ...others], { ...OPTIONS, mixed: true }).leftOut).toEqual([])
})

test('what is followed can be chosen', () => {
  const { series } = historyOf(slower, { ...OPTIONS, patterns: ['merge*'] })
  expect(series.map(({ metric }) => metric)).toEqual(['mergeMs'])
})
