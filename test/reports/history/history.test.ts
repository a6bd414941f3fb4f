import { expect, test } from 'vitest'
import { Random } from '../../../pipeline/sources/random.ts'
import { type HistoryOptions, historyOf } from '../../../reports/history.ts'
import type { Results } from '../../../reports/schema.ts'
import { madeUpResults, madeUpScenario, measuredCell } from '../made-up-results.ts'

const OPTIONS: HistoryOptions = {
  patterns: [],
  mixed: false,
  significance: 0.01,
  permutations: 199,
  random: () => {
    const random = new Random(1)
    return () => random.share()
  },
}

/** A run of one arm on a day of January, at a commit that is named for it. */
function runOf(day: number, mergeMs: number): Results {
  const base = madeUpResults({ repeat: 1 })
  const startedAt = `2026-01-${String(day).padStart(2, '0')}T00:00:00.000Z`
  return {
    ...base,
    run: { ...base.run, id: `run-${day}`, startedAt },
    environment: { ...base.environment, git: { sha: `sha-${day}`, dirty: false } },
    scenarios: [madeUpScenario({ name: 'longevity', axes: [], repeat: 1 })],
    cells: [
      measuredCell(
        { scenario: 'longevity', arm: 'ducklake/merge', repetition: 0, point: {} },
        { mergeMs: { value: mergeMs, unit: 'ms', better: 'lower', kind: 'time' } },
      ),
    ],
  }
}

const slower = [...Array.from({ length: 20 }).keys()].map((index) =>
  runOf(index + 1, (index < 10 ? 1_000 : 1_300) + (index % 3)),
)

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
