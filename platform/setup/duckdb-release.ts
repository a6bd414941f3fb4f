import { existsSync } from 'node:fs'
import { mkdir, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { LakeduelError } from '../errors.ts'
import type { Step } from './step.ts'
import { runTool } from './tool.ts'

const PACKAGE = '@duckdb/node-api'

/** A folder that holds the Node package of a release of DuckDB, as `1.5.4`, and nothing else of ours. */
export function duckdbReleaseStep(version: string): Step<string> {
  const folderIn = (home: string) => join(home, `duckdb-${version}-${process.platform}-${process.arch}`)
  return {
    title: `DuckDB ${version}`,
    find: async (home) => {
      const folder = folderIn(home)
      return existsSync(join(folder, 'node_modules', PACKAGE)) ? folder : null
    },
    make: async ({ home, workDir, signal, report }) => {
      const made = join(workDir, 'package')
      await mkdir(made)
      await writeFile(join(made, 'package.json'), '{ "private": true }\n')
      // The package has releases of its own for each DuckDB, as 1.5.4-r.1: the newest of them.
      const wished = `${PACKAGE}@>=${version}-r.0 <${version}`
      await runTool('npm', ['install', '--no-audit', '--no-fund', '--ignore-scripts', wished], {
        cwd: made,
        signal,
        report,
        remedy: 'Check that npm reaches its registry.',
      }).catch((error: unknown) => {
        throw unpublished(error, version) ?? error
      })
      const target = folderIn(home)
      await rename(made, target)
      return target
    },
  }
}

function unpublished(error: unknown, version: string): LakeduelError | null {
  if (!(error instanceof LakeduelError) || !error.message.includes('ETARGET')) return null
  return new LakeduelError('SETUP_FAILED', `There is no ${PACKAGE} of DuckDB ${version}.`, {
    facts: { version },
    remedy: `These are published: npm view ${PACKAGE} versions`,
    cause: error,
  })
}
