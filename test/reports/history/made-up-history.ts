import { Random } from '../../../pipeline/sources/random.ts'
import type { HistoryOptions } from '../../../reports/history.ts'
import type { Results } from '../../../reports/schema.ts'
import { madeUpResults, madeUpScenario, measuredCell } from '../made-up-results.ts'

export const OPTIONS: HistoryOptions = {
  patterns: [],
  mixed: false,
  significance: 0.01,
  permutations: 199,
  random: () => {
    const random = new Random(1)
    return () => random.share()
  },
}

/** A MADE-UP run of one arm on a day of January, at a commit that is named for it. */
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

/** Twenty runs, the second half of them slower. */
export const slower = [...Array.from({ length: 20 }).keys()].map((index) =>
  runOf(index + 1, (index < 10 ? 1_000 : 1_300) + (index % 3)),
)
