import { formatMetricName, formatPoint } from '../format.ts'
import type { Axis, Point, Scalar } from '../schema.ts'
import type { PointSummary } from '../summary/points.ts'
import type { Summary } from '../summary.ts'
import { escapeHtml } from './markup.ts'

/** Plain form controls for what the page shows; its script keeps their state in the address. Empty where there is no choice. */
export function renderFilters({ scenarios }: Summary): string {
  const arms = new Set(
    scenarios.flatMap(({ points }) => points.flatMap((point) => point.arms.map(({ arm }) => arm))),
  )
  const names = scenarios.map(({ name }) => name)
  const choices = [
    renderBoxes('Scenarios', 'scenario', names),
    renderBoxes('Arms', 'arm', [...arms].toSorted()),
    ...[...measuredValues(scenarios.flatMap(({ points }) => points.map(({ point }) => point)))].map(
      renderAxis,
    ),
  ].join('')
  return choices === ''
    ? ''
    : `<details id="filter-part"><summary>Filter by scenario, arm or axis</summary>
<form id="filters">${choices}
<button type="reset">Show everything</button></form>
</details>`
}

/** The point that each label of a row or of a folded part stands for, and those of curves, along which one axis is open. */
export function placesOf({ scenarios }: Summary): Readonly<Record<string, Point>> {
  return Object.fromEntries(
    scenarios.flatMap(({ points, scalings, scenario: { axes } }) => {
      const open = new Set(scalings.map(({ axis }) => axis))
      const along = axes.filter((axis) => open.has(axis)).flatMap((axis) => points.map(openAlong(axis, axes)))
      return [...along, ...points.map(({ label, point }) => [label, point] as const)]
    }),
  )
}

function openAlong(axis: Axis, axes: readonly Axis[]) {
  const others = axes.filter((other) => other !== axis)
  return ({ point }: PointSummary): readonly [label: string, point: Point] => {
    const { [axis.name]: _, ...elsewhere } = point
    return [formatPoint(point, others), elsewhere]
  }
}

function renderBoxes(legend: string, name: string, values: readonly string[]): string {
  if (values.length < 2) return ''
  const boxes = values.map(
    (value) =>
      `<label><input type="checkbox" name="${name}" value="${escapeHtml(value)}" checked> ${escapeHtml(value)}</label>`,
  )
  return `<fieldset><legend>${legend}</legend>${boxes.join('')}</fieldset>\n`
}

function measuredValues(points: readonly Point[]): ReadonlyMap<string, ReadonlySet<Scalar>> {
  const byAxis = Map.groupBy(
    points.flatMap((point) => Object.entries(point)),
    ([axis]) => axis,
  )
  return new Map([...byAxis].map(([axis, entries]) => [axis, new Set(entries.map(([, value]) => value))]))
}

function renderAxis([axis, values]: readonly [string, ReadonlySet<Scalar>]): string {
  if (values.size < 2) return ''
  const options = [...values].map(String).map((value) => `<option>${escapeHtml(value)}</option>`)
  return `<label>${escapeHtml(formatMetricName(axis))} <select name="axis.${escapeHtml(axis)}"><option value="">all</option>${options.join('')}</select></label>\n`
}
