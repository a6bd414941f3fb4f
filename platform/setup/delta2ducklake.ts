import { rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { isExecutable } from '../executables.ts'
import { findNewestPython } from './python.ts'
import type { Step } from './step.ts'
import { environmentName, interpreterOf, makeVirtualEnvironment } from './virtual-environment.ts'

/** The DuckDB is the one that lakeduel has, too; the others are those that pip chose for this version. */
export const DELTA2DUCKLAKE_REQUIREMENTS = `delta2ducklake==0.2.1
duckdb==1.5.5
psycopg[binary]==3.3.9
sqlglot==30.30.0
`

/** Another migrator, in an environment of its own, for `lakeduel measure migration --beside`. It comes as its interpreter. */
export const delta2ducklakeStep: Step<string> = {
  title: 'delta2ducklake (Python environment)',
  find: async (home) => {
    const python = interpreterOf(environmentIn(home))
    return (await isExecutable(python)) ? python : null
  },
  make: async (context) => {
    await makeVirtualEnvironment(context, await findNewestPython(), DELTA2DUCKLAKE_REQUIREMENTS)
    const target = environmentIn(context.home)
    // There is one already when the Python that it was made from is gone.
    await rm(target, { recursive: true, force: true })
    await rename(context.workDir, target)
    return interpreterOf(target)
  },
}

function environmentIn(home: string): string {
  return join(home, environmentName('delta2ducklake', DELTA2DUCKLAKE_REQUIREMENTS))
}
