import { z } from 'zod'
import { cellId, cellSchema } from './cell.ts'
import { environmentSchema, runSchema, scenarioSchema, warningSchema } from './run.ts'

export const RESULTS_SCHEMA_VERSION = 2

export const resultsSchema = z
  .strictObject({
    schemaVersion: z.literal(RESULTS_SCHEMA_VERSION),
    lakeduelVersion: z.string(),
    run: runSchema,
    environment: environmentSchema,
    scenarios: z.array(scenarioSchema),
    /** In the order in which they ran. */
    cells: z.array(cellSchema),
    /** What the runner noticed while it ran; the reports add their own. */
    warnings: z.array(warningSchema),
  })
  .superRefine((results, context) => {
    const scenarios = new Map(results.scenarios.map((scenario) => [scenario.name, scenario]))
    const seen = new Set<string>()
    const complain = (index: number, field: string[], message: string) =>
      context.addIssue({ code: 'custom', path: ['cells', index, ...field], message })
    for (const [index, cell] of results.cells.entries()) {
      const scenario = scenarios.get(cell.scenario)
      if (scenario === undefined) {
        complain(
          index,
          ['scenario'],
          `names the scenario "${cell.scenario}", which the file doesn't describe`,
        )
        continue
      }
      const axes = scenario.axes.map((axis) => axis.name)
      if (Object.keys(cell.point).join() !== axes.join())
        complain(index, ['point'], `has other axes than ${cell.scenario}: ${axes.join(', ') || 'none'}`)
      const id = cellId(cell)
      if (cell.id !== id) complain(index, ['id'], `must be "${id}"`)
      if (seen.has(id)) complain(index, [], `is a second result for ${id}`)
      seen.add(id)
    }
  })
export type Results = Readonly<z.infer<typeof resultsSchema>>
