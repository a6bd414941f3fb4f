import { formatMetricName, formatRatio, formatValue } from '../format.ts'
import type { Change, History } from '../history.ts'
import { figure, NONE, type Table, text } from '../tables/table.ts'
import { type ConsoleOptions, drawTable, wrap } from '../terminal.ts'
import { commitOf, describeSpan } from './words.ts'

export function renderHistory(history: History, options: ConsoleOptions): string {
  const { changes, leftOut } = history
  return [
    wrap(describeSpan(history), options.width, ''),
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
