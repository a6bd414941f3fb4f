import { plural } from '../format.ts'
import { metricsOf } from '../metrics.ts'
import type { Cell } from '../schema.ts'
import type { PointSummary } from '../summary/points.ts'
import type { Format } from './evidence.ts'
import type { Source, Statement } from './statement.ts'

/** What became of the data of a format's tables in all cells of some points, however their arms rank. */
export interface Losses {
  readonly safe: boolean
  readonly said: Statement
}

/** What cells count of the data, or of what was done to it. One of them has to be there. */
const COUNTS = ['rowsLost', 'rowsDoubled', 'faults'] as const

interface CountedCell {
  readonly cell: Cell
  readonly at: string
  readonly sources: readonly Source[]
}

/** Null where no cell of the format counted anything. */
export function lossesOf(scenario: string, points: readonly PointSummary[], format: Format): Losses | null {
  const cells = points.flatMap(({ label, arms }) =>
    arms
      .filter((arm) => arm.format === format)
      .flatMap((arm) =>
        [...arm.cells, ...arm.wrongControls].map((cell) => countedCell(scenario, label, cell)),
      ),
  )
  const counted = cells.filter(({ sources }) => sources.length > 0)
  if (counted.length === 0) return null
  const wrong = counted.filter(isWrong)
  return {
    safe: wrong.length === 0,
    said: {
      text: [sumOf(counted), wrongOf(wrong, counted.length)].join(', '),
      sources: counted.flatMap(({ sources }) => sources),
    },
  }
}

function countedCell(scenario: string, at: string, cell: Cell): CountedCell {
  const metrics = metricsOf(cell)
  const sources = COUNTS.flatMap((metric) => {
    const found = metrics.get(metric)
    if (found === undefined) return []
    const { value, unit } = found
    return [{ scenario, at, arm: cell.arm, metric, value, unit, low: value, high: value, n: 1 }]
  })
  return { cell, at, sources }
}

/** By the oracle's word, which knows of wrong values as well, or by the cell's own counts. */
function isWrong({ cell, sources }: CountedCell): boolean {
  const rows = sources.filter(({ metric }) => metric !== 'faults')
  return cell.status === 'wrong-data' || rows.some(({ value }) => value > 0)
}

/** `0 rows lost or doubled`, or `24 faults`. */
function sumOf(counted: readonly CountedCell[]): string {
  const sources = counted.flatMap((cell) => cell.sources)
  const sum = (wanted: (metric: string) => boolean) =>
    sources.filter(({ metric }) => wanted(metric)).reduce((total, { value }) => total + value, 0)
  return sources.some(({ metric }) => metric !== 'faults')
    ? `${plural(
        sum((metric) => metric !== 'faults'),
        'row',
      )} lost or doubled`
    : plural(
        sum((metric) => metric === 'faults'),
        'fault',
      )
}

function wrongOf(wrong: readonly CountedCell[], cells: number): string {
  if (wrong.length === 0) return `${plural(cells, 'cell')} all right`
  const where = [...new Set(wrong.map(({ cell, at }) => `${cell.arm} at ${at}`))]
  const more = where.length > 3 ? ` and at ${where.length - 3} more points` : ''
  return `${wrong.length} of ${plural(cells, 'cell')} wrong (${where.slice(0, 3).join('; ')}${more})`
}
