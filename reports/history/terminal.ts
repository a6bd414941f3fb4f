import { formatMetricName, formatRatio, formatValue, plural } from '../format.ts'
import type { Change, History } from '../history.ts'
import { figure, NONE, type Table, text } from '../tables/table.ts'
import { type ConsoleOptions, drawTable, wrap } from '../terminal.ts'
import type { HistoryPoint } from './series.ts'

const SHORT_COMMIT = 10
const DAY = 10

export function renderHistory({ runs, series, changes, leftOut }: History, options: ConsoleOptions): string {
  const [first, last] = [runs[0], runs.at(-1)]
  const span =
    first === undefined || last === undefined
      ? 'There are no runs.'
      : `${plural(runs.length, 'run')} from ${dayOf(first.run)} to ${dayOf(last.run)}, ${series.length} series, ${plural(changes.length, 'change')}.`
  return [
    wrap(span, options.width, ''),
    ...(changes.length === 0 ? [] : [drawTable(changesTable(changes), options)]),
    ...leftOut.map(({ runId, differences }) =>
      wrap(
        `Left out ${runId}: ${differences.slice(0, 3).join('; ')}. --mixed takes it in.`,
        options.width,
        '  ',
      ),
    ),
  ].join('\n')
}

function changesTable(changes: readonly Change[]): Table {
  return {
    title: 'Changes, the newest first',
    columns: [
      text('scenario'),
      text('arm'),
      text('metric'),
      text('is'),
      figure('before'),
      figure('after'),
      figure('ratio'),
      text('after the commit'),
      text('up to the commit'),
    ],
    rows: changes.map(({ series, direction, before, after, ratio, last, first }) => [
      series.at === '' ? series.scenario : `${series.scenario}, ${series.at}`,
      series.arm,
      formatMetricName(series.metric),
      direction,
      formatValue(before, series.unit),
      formatValue(after, series.unit),
      ratio === null ? NONE : formatRatio(ratio),
      commitOf(last),
      commitOf(first),
    ]),
  }
}

function commitOf({ commit, startedAt }: HistoryPoint): string {
  return `${commit?.slice(0, SHORT_COMMIT) ?? 'unknown'} (${startedAt.slice(0, DAY)})`
}

function dayOf({ startedAt }: { readonly startedAt: string }): string {
  return startedAt.slice(0, DAY)
}
