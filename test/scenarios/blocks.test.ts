import { expect, test } from 'vitest'
import { ARMS } from '../../backends/backend.ts'
import { axesOf, type Block, isInBlocks } from '../../scenarios/blocks.ts'
import { concurrency } from '../../scenarios/concurrency.ts'
import { planCells } from '../../scenarios/runner/plan.ts'
import { PROFILES } from '../../scenarios/scenario.ts'
import { smallCommits } from '../../scenarios/small-commits.ts'

const BLOCKS: readonly Block<'a' | 'b'>[] = [
  { arms: 'all', at: { a: [1, 2], b: ['x'] } },
  { arms: ['delta/merge'], at: { a: [3], b: ['x', 'y'] } },
]

test('the axes have the values of all blocks, each once', () => {
  expect(axesOf(BLOCKS)).toEqual({ a: [1, 2, 3], b: ['x', 'y'] })
})

test('a point is a cell where one block has all of its values, and the arm', () => {
  expect(isInBlocks(BLOCKS, 'ducklake/merge', { a: 1, b: 'x' })).toBe(true)
  expect(isInBlocks(BLOCKS, 'ducklake/merge', { a: 1, b: 'y' })).toBe(false)
  expect(isInBlocks(BLOCKS, 'ducklake/merge', { a: 3, b: 'x' })).toBe(false)
  expect(isInBlocks(BLOCKS, 'delta/merge', { a: 3, b: 'y' })).toBe(true)
})

test('a value that no block has takes the place of any', () => {
  expect(isInBlocks(BLOCKS, 'ducklake/merge', { a: 9, b: 'x' })).toBe(true)
  expect(isInBlocks(BLOCKS, 'ducklake/merge', { a: 9, b: 'y' })).toBe(false)
  expect(isInBlocks(BLOCKS, 'delta/merge', { a: 9, b: 'y' })).toBe(true)
})

test.each([concurrency, smallCommits])(
  'every profile of $name has cells of both formats, with values that its axes accept',
  (scenario) => {
    for (const profile of PROFILES) {
      const cells = planCells(scenario, { profile, arms: ARMS, axes: {}, repeat: 1, control: false })
      const formats = new Set(cells.map(({ arm }) => arm.split('/')[0]))
      expect([profile, formats.size]).toEqual([profile, 2])
      for (const { point } of cells) {
        for (const { name, accepts } of scenario.axes) {
          const value = point[name]
          expect([name, value, value !== undefined && accepts(value)]).toEqual([name, value, true])
        }
      }
    }
  },
)

test('writers that the standard profile compares differ in nothing but their coordination', () => {
  const cells = planCells(concurrency, {
    profile: 'standard',
    arms: ARMS,
    axes: {},
    repeat: 1,
    control: false,
  })
  const asked = cells.filter(
    ({ arm, point }) =>
      arm === 'ducklake/merge' && point['writers'] === 16 && point['operation'] === 'upsert-existing',
  )
  expect(new Set(asked.map(({ point }) => point['coordination']))).toEqual(new Set(['none', 'lock', 'group']))
  expect(asked).toHaveLength(3)
})
