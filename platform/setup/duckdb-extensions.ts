import { createHash } from 'node:crypto'
import { mkdir, readdir, readFile, rename } from 'node:fs/promises'
import { findPackageJSON } from 'node:module'
import { join } from 'node:path'
import { z } from 'zod'
import { installExtensions } from '../duckdb/install-extensions.ts'
import { LakeduelError, messageOf } from '../errors.ts'
import { packageRoot } from '../package-root.ts'
import type { Step, StepContext } from './step.ts'
import { runTool } from './tool.ts'

export const DUCKDB_EXTENSIONS = [
  'ducklake',
  'httpfs',
  'postgres_scanner',
  'sqlite_scanner',
  'delta',
] as const

const REQUIREMENTS = join(packageRoot, 'platform/setup/duckdb-extensions.txt')
const FILE_ENDING = '.duckdb_extension'

/** Paths of signed extension files, by extension name. */
export type ExtensionPaths = Readonly<Record<string, string>>

/**
 * Extension files from pinned wheels, whose hashes pip checks; DuckDB checks their signatures when it loads them.
 * DuckDB's own `INSTALL` is the fallback, as its download site can't be reached from everywhere.
 * @param python finds an interpreter with pip
 */
export function duckdbExtensionsStep(python: () => Promise<string>): Step<ExtensionPaths> {
  return {
    title: 'DuckDB extensions',
    find: async (home) => readExtensions(await extensionsDir(home)),
    make: async (context) => {
      const gathered = join(context.workDir, 'extensions')
      await mkdir(gathered)
      await gather(context, await python(), gathered)
      const target = await extensionsDir(context.home)
      await rename(gathered, target)
      return pathsIn(target)
    },
  }
}

/** The version of the DuckDB in use, such as `1.5.5`: the binding's own version less its release suffix. */
export async function duckdbVersion(): Promise<string> {
  const manifest = findPackageJSON('@duckdb/node-api', import.meta.url)
  if (manifest === undefined)
    throw new LakeduelError('SETUP_FAILED', 'The package @duckdb/node-api is not installed.')
  const { version } = z.object({ version: z.string() }).parse(JSON.parse(await readFile(manifest, 'utf8')))
  return version.split('-')[0] ?? version
}

/** Named by the pins too, so that new ones make a new folder, and whoever has loaded from the old one isn't disturbed. */
async function extensionsDir(home: string): Promise<string> {
  const pins = createHash('sha256')
    .update(await readFile(REQUIREMENTS))
    .digest('hex')
    .slice(0, 12)
  return join(home, `duckdb-extensions-${await duckdbVersion()}-${process.platform}-${process.arch}-${pins}`)
}

function pathsIn(folder: string): ExtensionPaths {
  return Object.fromEntries(DUCKDB_EXTENSIONS.map((name) => [name, join(folder, `${name}${FILE_ENDING}`)]))
}

async function readExtensions(folder: string): Promise<ExtensionPaths | null> {
  const present = new Set(await readdir(folder).catch(() => []))
  return DUCKDB_EXTENSIONS.every((name) => present.has(`${name}${FILE_ENDING}`)) ? pathsIn(folder) : null
}

async function gather(context: StepContext, python: string, target: string): Promise<void> {
  const failures: string[] = []
  for (const source of [fromWheels, fromDuckdb]) {
    try {
      return await source(context, python, target)
    } catch (error) {
      context.signal?.throwIfAborted()
      failures.push(messageOf(error))
    }
  }
  throw new LakeduelError('SETUP_FAILED', `The DuckDB extensions could not be had:\n${failures.join('\n')}`, {
    facts: { extensions: DUCKDB_EXTENSIONS, version: await duckdbVersion() },
    remedy: 'Check that pip reaches its package index, or that extensions.duckdb.org can be reached.',
  })
}

async function fromWheels(
  { workDir, signal, report }: StepContext,
  python: string,
  target: string,
): Promise<void> {
  const version = await duckdbVersion()
  await assertPinned(version)
  const remedy = 'Check that pip reaches its package index (pip config list).'
  const wheels = join(workDir, 'wheels')
  await runTool(
    python,
    [
      '-m',
      'pip',
      'download',
      '--no-input',
      '--no-deps',
      '--only-binary',
      ':all:',
      '--require-hashes',
      '-d',
      wheels,
      '-r',
      REQUIREMENTS,
    ],
    { signal, report, remedy },
  )
  for (const wheel of await readdir(wheels)) {
    report(`unpacking ${wheel}`)
    await runTool(python, ['-m', 'zipfile', '-e', join(wheels, wheel), workDir], { signal, report, remedy })
  }
  for (const name of DUCKDB_EXTENSIONS) {
    const file = `${name}${FILE_ENDING}`
    await rename(
      join(workDir, `duckdb_extension_${name}`, 'extensions', `v${version}`, file),
      join(target, file),
    )
  }
}

async function assertPinned(version: string): Promise<void> {
  const requirements = await readFile(REQUIREMENTS, 'utf8')
  if (requirements.includes(`==${version} `)) return
  throw new LakeduelError('SETUP_FAILED', `${REQUIREMENTS} pins no wheels for DuckDB ${version}.`, {
    facts: { version },
  })
}

async function fromDuckdb({ workDir, report }: StepContext, _python: string, target: string): Promise<void> {
  report("DuckDB's own INSTALL")
  const files = await installExtensions(DUCKDB_EXTENSIONS, workDir)
  for (const [name, path] of Object.entries(files)) await rename(path, join(target, `${name}${FILE_ENDING}`))
}
