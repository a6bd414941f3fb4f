import { expect, test } from 'vitest'
import { ARMS } from '../../backends/backend.ts'
import { SCENARIOS } from '../../scenarios/catalogue.ts'
import { mergePartitions } from '../../scenarios/merge-partitions.ts'
import { axisValues, planCells, points } from '../../scenarios/runner/plan.ts'
import { type PlannedCell, PROFILES } from '../../scenarios/scenario.ts'
import { wideJson } from '../../scenarios/wide-json.ts'

const THREE = ['ducklake/merge', 'delta/merge', 'delta/deltalite'] as const
const STANDARD = { profile: 'standard', arms: THREE, axes: {}, repeat: 3, control: false } as const

function atPoint(cells: readonly PlannedCell[], index: number): readonly PlannedCell[] {
  const all = [...new Set(cells.map(({ point }) => JSON.stringify(point)))]
  return cells.filter(({ point }) => JSON.stringify(point) === all[index])
}

test('arms alternate in opposite orders at each point, so that no arm always runs first', () => {
  const order = atPoint(planCells(mergePartitions, STANDARD), 0).map(({ arm }) => arm)
  expect(order).toEqual([...THREE, ...THREE.toReversed(), ...THREE])
})

test('one point ends before the next begins, since neighbours in time are compared', () => {
  const seen = planCells(mergePartitions, STANDARD).map(({ point }) => JSON.stringify(point))
  const changes = seen.filter((point, index) => point !== seen[index - 1])
  expect(changes).toHaveLength(new Set(seen).size)
})

test('every cell is planned once, under an id of its own', () => {
  for (const scenario of SCENARIOS) {
    const ids = planCells(scenario, { ...STANDARD, arms: ARMS, control: true }).map(({ id }) => id)
    expect(new Set(ids).size).toBe(ids.length)
  }
})

test('the control of the first arm stands next to it in each repetition', () => {
  const cells = atPoint(planCells(mergePartitions, { ...STANDARD, control: true }), 0)
  expect(cells.filter(({ control }) => control)).toHaveLength(3)
  for (const [index, { control, arm }] of cells.entries()) {
    if (!control) continue
    const beside = [cells[index - 1], cells[index + 1]].filter((cell) => cell?.arm === arm && !cell.control)
    expect(beside).toHaveLength(1)
  }
})

test('values given for an axis take the place of the profile’s, in every scenario that has it', () => {
  const values = axisValues(mergePartitions, { profile: 'standard', axes: { partitions: [7] } })
  expect(values['partitions']).toEqual([7])
  expect(values['s3LatencyMs']).toEqual(mergePartitions.profiles.standard.axes['s3LatencyMs'])
})

test('points are all combinations, the first axis slowest', () => {
  expect(points({ a: [1, 2], b: ['x', 'y'] })).toEqual([
    { a: 1, b: 'x' },
    { a: 1, b: 'y' },
    { a: 2, b: 'x' },
    { a: 2, b: 'y' },
  ])
  expect(points({})).toEqual([{}])
})

test('what a scenario excludes is no cell', () => {
  const found = planCells(mergePartitions, STANDARD).map(({ point }) => point)
  expect(found).toContainEqual({ partitions: 100, s3LatencyMs: 0 })
  expect(found).not.toContainEqual({ partitions: 10, s3LatencyMs: 0 })
})

test.each(SCENARIOS)('$name has values for its axes, and an estimate, in each profile', (scenario) => {
  for (const profile of PROFILES) {
    const cells = planCells(scenario, { ...STANDARD, arms: ARMS, profile, repeat: 1 })
    expect(cells.length).toBeGreaterThan(0)
    const { parameters, axes } = scenario.profiles[profile]
    expect(new Set(Object.keys(axes))).toEqual(new Set(scenario.axes.map(({ name }) => name)))
    for (const axis of scenario.axes) expect(axes[axis.name]?.every(axis.accepts)).toBe(true)
    for (const { point, arm } of cells) {
      const { shared, cell } = scenario.estimate(point, parameters, arm)
      for (const figure of [...Object.values(shared), ...Object.values(cell)]) {
        expect(figure).toBeGreaterThanOrEqual(0)
        expect(Number.isFinite(figure)).toBe(true)
      }
    }
  }
})

test.each([mergePartitions, wideJson])(
  '$name checks the table, and stages every row of its dataset once in each profile',
  (one) => {
    for (const profile of PROFILES) {
      const wanted = { ...STANDARD, profile, repeat: 1 }
      for (const cell of planCells(one, wanted)) {
        expect(one.phases(cell, profile).some((phase) => phase.startsWith('read-after'))).toBe(true)
      }
      for (const point of points(axisValues(one, wanted))) {
        const { parameters } = one.profiles[profile]
        const dataset = one.dataset(point, parameters, 1)
        const rowsOf = (slices: readonly { readonly rows: number }[]) =>
          slices.reduce((sum, { rows }) => sum + rows, 0)
        const initial = rowsOf(dataset.initial.flat(2))
        expect(initial).toBeGreaterThan(0)
        if (parameters['rows'] !== undefined) expect(initial).toBe(parameters['rows'])
        expect(rowsOf(dataset.batches.flat(2))).toBe(parameters['batchRows'] ?? initial)
      }
    }
  },
)
