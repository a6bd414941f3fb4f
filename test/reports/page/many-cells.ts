import type { Cell, Results } from '../../../reports/schema.ts'
import { madeUpResults, madeUpScenario, passedCell } from '../made-up-results.ts'

const TABLE_SIZES = Array.from({ length: 20 }, (_, index) => 2 ** index)
const LOCALITIES = ['spread', 'clustered', 'one partition', 'newest', 'random']

/** MADE-UP results of a scenario of 100 points, as many cells as asked for, evenly over arms and points. */
export function manyCells(count: number): Results {
  const { run, ...rest } = madeUpResults({ repeat: 1 })
  const { arms } = run.plan
  const points = TABLE_SIZES.flatMap((tableSize) => LOCALITIES.map((locality) => ({ tableSize, locality })))
  const cells: Cell[] = Array.from({ length: count }, (_, index) => {
    const arm = arms[index % arms.length] ?? ''
    const point = points[Math.floor(index / arms.length) % points.length] ?? {}
    const repetition = Math.floor(index / arms.length / points.length)
    return { ...passedCell('sizes', arm, repetition, index), id: `cell ${index}`, point, settings: {} }
  })
  const scenario = madeUpScenario({
    name: 'sizes',
    axes: [
      { name: 'tableSize', unit: null, description: 'relative', values: TABLE_SIZES },
      { name: 'locality', unit: null, description: 'where the batch falls', values: LOCALITIES },
    ],
    arms: [...arms],
    repeat: Math.ceil(count / arms.length / points.length),
  })
  return {
    ...rest,
    run: { ...run, plan: { ...run.plan, scenarios: ['sizes'] } },
    scenarios: [scenario],
    cells,
  }
}
