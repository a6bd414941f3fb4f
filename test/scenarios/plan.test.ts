import { expect, test } from 'vitest'
import { ARMS } from '../../backends/backend.ts'
import { SCENARIOS } from '../../scenarios/catalogue.ts'
import { planCells } from '../../scenarios/runner/plan.ts'
import { PROFILES } from '../../scenarios/scenario.ts'

const [scenario] = SCENARIOS
if (scenario === undefined) throw new Error('the catalogue is empty')

test('arms alternate in opposite orders, so that no arm always runs first', () => {
  const order = planCells(scenario, 'standard', ['ducklake/merge', 'delta/merge', 'delta/deltalite'], 3).map(
    ({ arm }) => arm,
  )
  expect(order).toEqual([
    'ducklake/merge',
    'delta/merge',
    'delta/deltalite',
    'delta/deltalite',
    'delta/merge',
    'ducklake/merge',
    'ducklake/merge',
    'delta/merge',
    'delta/deltalite',
  ])
})

test('every cell is planned once, under an id of its own', () => {
  const cells = planCells(scenario, 'standard', ARMS, 4)
  expect(new Set(cells.map(({ id }) => id)).size).toBe(ARMS.length * 4)
})

test('the quick profile maintains the first repetition of each arm only', () => {
  const maintained = planCells(scenario, 'quick', ['ducklake/merge'], 3).map(({ phases }) =>
    phases.includes('maintain'),
  )
  expect(maintained).toEqual([true, false, false])
})

test.each(SCENARIOS)(
  '$name checks the table, and stages every row of its dataset once in each profile',
  (one) => {
    expect(one.phases.some((phase) => phase === 'read-after' || phase === 'read-after-maintenance')).toBe(
      true,
    )
    for (const profile of PROFILES) {
      const { parameters } = one.profiles[profile]
      const dataset = one.dataset(parameters, 1)
      const rowsOf = (slices: readonly { readonly rows: number }[]) =>
        slices.reduce((sum, { rows }) => sum + rows, 0)
      expect(rowsOf(dataset.initial.flat(2))).toBe(parameters['rows'])
      expect(rowsOf(dataset.batches.flat(2))).toBe(parameters['batchRows'] ?? parameters['rows'])
    }
  },
)
