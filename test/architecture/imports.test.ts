import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { execa } from 'execa'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { z } from 'zod'

/**
 * The folder table of the design as it must hold. The rules themselves are in .oxlintrc.json, where an editor shows a
 * breach of them while it is written; here each is tried on a file that breaks it, since a pattern that matches nothing
 * looks just like a project without a fault.
 */
const FORBIDDEN: readonly (readonly [file: string, statement: string])[] = [
  ['platform/setup/a.ts', "import { it } from '../../backends/backend.ts'"],
  ['platform/a.ts', "import type { it } from '../reports/schema.ts'"],
  ['platform/duckdb/a.ts', "import { it } from '../../scenarios/scenario.ts'"],
  ['reports/statistics/a.ts', "import { it } from '../../platform/errors.ts'"],
  ['reports/a.ts', "export * from '../backends/backend.ts'"],
  ['backends/a.ts', "import { it } from '../scenarios/scenario.ts'"],
  ['backends/delta/a.ts', "import { it } from '../ducklake/table.ts'"],
  ['backends/ducklake/a.ts', "import { it } from '../delta/table.ts'"],
  ['backends/ducklake/a.ts', "import { it } from '../../cli/main.ts'"],
  ['backends/duckdb/a.ts', "import { it } from '../delta/table.ts'"],
  ['backends/duckdb/a.ts', "import { it } from '../ducklake/table.ts'"],
  ['pipeline/load/a.ts', "import { it } from '../../backends/ducklake/table.ts'"],
  ['pipeline/a.ts', "import { it } from '../scenarios/scenario.ts'"],
  ['scenarios/runner/a.ts', "import { it } from '../../backends/connect.ts'"],
  ['scenarios/oracle/a.ts', "import { it } from '../../backends/ducklake/table.ts'"],
  ['scenarios/a.ts', "const { it } = await import('../cli/main.ts')"],
  ['scenarios/a.ts', "import { it } from '../migrate/plan.ts'"],
  ['scenarios/a.ts', "import { it } from '../reports/html.ts'"],
  ['migrate/a.ts', "import { it } from '../pipeline/load/loader.ts'"],
  ['cli/a.ts', "import { it } from '../test/services.ts'"],
  ['cli/a.ts', "import { it } from '@duckdb/node-api'"],
  ['backends/delta/a.ts', "import { it } from '@duckdb/node-api'"],
  ['backends/delta/duckdb/a.ts', "import { it } from '@duckdb/node-api'"],
  ['backends/ducklake/a.ts', "import { it } from '@duckdb/node-api'"],
  ['pipeline/a.ts', "import { it } from '@duckdb/node-api'"],
  ['platform/setup/a.ts', "import { it } from '@duckdb/node-api'"],
  ['scenarios/runner/a.ts', "import type { it } from '@duckdb/node-api'"],
]

const ALLOWED: readonly (readonly [file: string, statement: string])[] = [
  ['backends/delta/a.ts', "import { it } from '../../platform/errors.ts'"],
  ['backends/ducklake/a.ts', "import { it } from '../backend.ts'"],
  ['backends/duckdb/a.ts', "import { it } from '@duckdb/node-api'"],
  ['backends/delta/duckdb/a.ts', "import { it } from '../../duckdb/staged.ts'"],
  ['platform/duckdb/a.ts', "import { it } from '@duckdb/node-api'"],
  ['scenarios/oracle/a.ts', "import { it } from '@duckdb/node-api'"],
  ['migrate/a.ts', "import { it } from '@duckdb/node-api'"],
  ['migrate/a.ts', "import { it } from '../backends/ducklake/table.ts'"],
  ['scenarios/runner/a.ts', "import { it } from '../../backends/backend.ts'"],
  ['scenarios/runner/a.ts', "import type { it } from '../../reports/schema.ts'"],
  ['scenarios/a.ts', "import { it } from '../reports/statistics/quantile.ts'"],
  ['scenarios/runner/a.ts', "import { it } from '../../pipeline/load/loader.ts'"],
  ['pipeline/load/a.ts', "import type { it } from '../../backends/schema.ts'"],
  ['cli/a.ts', "import { it } from '../backends/ducklake/table.ts'"],
]

const reportSchema = z.object({ diagnostics: z.array(z.object({ code: z.string() })) })

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lakeduel-imports-'))
  await writeFile(join(folder, '.oxlintrc.json'), await readFile('.oxlintrc.json'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

test.each(FORBIDDEN)('%s must not say %s', async (file, statement) => {
  expect(await breaches(file, statement)).toEqual(['eslint(no-restricted-imports)'])
})

test.each(ALLOWED)('%s may say %s', async (file, statement) => {
  expect(await breaches(file, statement)).toEqual([])
})

/** What the project's rules find in a file of that name that holds the statement alone. */
async function breaches(file: string, statement: string): Promise<readonly string[]> {
  const path = join(folder, file)
  await mkdir(dirname(path), { recursive: true })
  await writeFile(path, `${statement}\nexport type It = typeof it\n`)
  const args = ['--config', join(folder, '.oxlintrc.json'), '--format', 'json', file]
  const { stdout } = await execa('oxlint', args, {
    cwd: folder,
    preferLocal: true,
    localDir: process.cwd(),
    reject: false,
  })
  await rm(path)
  return reportSchema
    .parse(JSON.parse(stdout))
    .diagnostics.map((diagnostic) => diagnostic.code)
    .filter((code) => code.includes('import'))
}
