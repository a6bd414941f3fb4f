import type { Calibration, CalibrationRow } from '../calibration.ts'
import { formatCount, formatPercent, plural } from '../format.ts'
import { renderTable } from '../markdown/markup.ts'
import { figure, NONE, text } from '../tables/table.ts'
import type { Procedure } from './procedure.ts'

/** The share of trials that found each effect, one column a number of pairs, one table a size of noise. */
export function renderCalibration({ recorded, scenario, arm, family, intervals, rows }: Calibration): string {
  const head = `${formatCount(recorded)} recorded pairs of ${arm} against itself in ${scenario}; at most ${family} noisy metrics judged together; ${formatCount(rows[0]?.trials ?? 0)} trials a field: worse / better / same / inconclusive.`
  const coverage =
    intervals.of === 0
      ? []
      : [
          `Of ${formatCount(intervals.of)} intervals between two runs of the same thing, ${formatPercent(intervals.holding / intervals.of)} hold no difference; 95 % should.`,
        ]
  const tables = [...Map.groupBy(rows, ({ noise }) => noise)].map(([noise, own]) => tableOf(noise, own))
  return `${[head, ...coverage, ...tables].join('\n\n')}\n`
}

/** How whole comparisons by turns ended, with the pairs and minutes that they took. */
export function renderProcedure({ maxMinutes, secondsPerPair, mostPairs, rows }: Procedure): string {
  const minutes = (pairs: number) => ((pairs * secondsPerPair) / 60).toFixed(1)
  const title = `Whole comparisons by turns within ${plural(maxMinutes, 'minute')}: at most ${mostPairs} pairs of ${secondsPerPair.toFixed(1)} s, confirmations among them`
  return `${renderTable(
    {
      title,
      columns: [
        text('planted'),
        ...['found', 'passed', 'open', 'median pairs', 'median minutes'].map(figure),
      ],
      rows: rows.map(({ effect, trials, found, passed, open, medianPairs }) => [
        effect,
        ...[found, passed, open].map((count) => formatPercent(count / trials)),
        medianPairs === null ? NONE : formatCount(medianPairs),
        medianPairs === null ? NONE : minutes(medianPairs),
      ]),
    },
    '###',
  )}\n`
}

function tableOf(noise: number, rows: readonly CalibrationRow[]): string {
  const pairs = [...new Set(rows.map((row) => row.pairs))]
  return renderTable(
    {
      title: noise === 1 ? 'Noise as it was measured' : `Noise at ${noise} of what was measured`,
      columns: [text('planted'), ...pairs.map((n) => figure(`${n} pairs`))],
      rows: [...Map.groupBy(rows, ({ effect }) => effect)].map(([effect, own]) => [
        effect,
        ...pairs.map((n) => fieldOf(own.find((row) => row.pairs === n))),
      ]),
    },
    '###',
  )
}

function fieldOf(row: CalibrationRow | undefined): string {
  if (row === undefined) return ''
  const { counts, trials } = row
  return [counts.worse, counts.better, counts.same, counts.inconclusive]
    .map((count) => formatPercent(count / trials))
    .join(' / ')
}
