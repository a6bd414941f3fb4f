import { createHash } from 'node:crypto'
import { mkdir, readdir, readFile, rename, writeFile } from 'node:fs/promises'
import { findPackageJSON } from 'node:module'
import { join } from 'node:path'
import { z } from 'zod'
import { installExtensions } from '../duckdb/install-extensions.ts'
import { LakeduelError, messageOf } from '../errors.ts'
import { packageRoot } from '../package-root.ts'
import { duckdbFolderUrl } from './duckdb-folder.ts'
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
 * @param release of DuckDB, in place of the one in use
 */
export function duckdbExtensionsStep(
  python: () => Promise<string>,
  release: string | null = null,
): Step<ExtensionPaths> {
  return {
    title: `DuckDB extensions${release === null ? '' : ` of ${release}`}`,
    find: async (home) => readExtensions(await extensionsDir(home, release)),
    make: async (context) => {
      const gathered = join(context.workDir, 'extensions')
      await mkdir(gathered)
      await gather(context, await python(), { release, folder: gathered })
      const target = await extensionsDir(context.home, release)
      await rename(gathered, target)
      return pathsIn(target)
    },
  }
}

/** What is gathered, and where to. */
interface Gathered {
  readonly release: string | null
  readonly folder: string
}

/** The version of the DuckDB in use, such as `1.5.5`: the binding's own version less its release suffix. */
export async function duckdbVersion(): Promise<string> {
  const manifest = findPackageJSON('@duckdb/node-api', duckdbFolderUrl() ?? import.meta.url)
  if (manifest === undefined)
    throw new LakeduelError('SETUP_FAILED', 'The package @duckdb/node-api is not installed.')
  const { version } = z.object({ version: z.string() }).parse(JSON.parse(await readFile(manifest, 'utf8')))
  return version.split('-')[0] ?? version
}

/** Named by the pins too, so that new ones make a new folder, and whoever has loaded from the old one isn't disturbed. */
async function extensionsDir(home: string, release: string | null): Promise<string> {
  const pins = createHash('sha256')
    .update(await readFile(REQUIREMENTS))
    .digest('hex')
    .slice(0, 12)
  const version = release ?? (await duckdbVersion())
  return join(home, `duckdb-extensions-${version}-${process.platform}-${process.arch}-${pins}`)
}

function pathsIn(folder: string): ExtensionPaths {
  return Object.fromEntries(DUCKDB_EXTENSIONS.map((name) => [name, join(folder, `${name}${FILE_ENDING}`)]))
}

async function readExtensions(folder: string): Promise<ExtensionPaths | null> {
  const present = new Set(await readdir(folder).catch(() => []))
  return DUCKDB_EXTENSIONS.every((name) => present.has(`${name}${FILE_ENDING}`)) ? pathsIn(folder) : null
}

async function gather(context: StepContext, python: string, target: Gathered): Promise<void> {
  const failures: string[] = []
  const version = await duckdbVersion()
  // DuckDB's own download brings those of the DuckDB in use only.
  const isInUse = (target.release ?? version) === version
  for (const source of isInUse ? [fromWheels, fromDuckdb] : [fromWheels]) {
    try {
      return await source(context, python, target)
    } catch (error) {
      context.signal?.throwIfAborted()
      failures.push(messageOf(error))
    }
  }
  throw new LakeduelError('SETUP_FAILED', `The DuckDB extensions could not be had:\n${failures.join('\n')}`, {
    facts: { extensions: DUCKDB_EXTENSIONS, version: target.release ?? version },
    remedy: 'Check that pip reaches its package index, or that extensions.duckdb.org can be reached.',
  })
}

async function fromWheels(
  { workDir, signal, report }: StepContext,
  python: string,
  { release, folder }: Gathered,
): Promise<void> {
  const version = release ?? (await duckdbVersion())
  const { requirements, hashes } = await requirementsOf(version, release !== null)
  const file = join(workDir, 'requirements.txt')
  await writeFile(file, requirements)
  const remedy = 'Check that pip reaches its package index (pip config list).'
  const wheels = join(workDir, 'wheels')
  const download = ['-m', 'pip', 'download', '--no-input', '--no-deps', '--only-binary', ':all:']
  await runTool(python, [...download, ...hashes, '-d', wheels, '-r', file], { signal, report, remedy })
  for (const wheel of await readdir(wheels)) {
    report(`unpacking ${wheel}`)
    await runTool(python, ['-m', 'zipfile', '-e', join(wheels, wheel), workDir], { signal, report, remedy })
  }
  for (const name of DUCKDB_EXTENSIONS) {
    const extension = `${name}${FILE_ENDING}`
    await rename(
      join(workDir, `duckdb_extension_${name}`, 'extensions', `v${version}`, extension),
      join(folder, extension),
    )
  }
}

/**
 * The pins, with their hashes, for the version that they are of. Nobody has recorded hashes of another one, which must be wished
 * for; DuckDB checks the signatures of its files all the same.
 */
async function requirementsOf(
  version: string,
  isWished: boolean,
): Promise<{ readonly requirements: string; readonly hashes: readonly string[] }> {
  const pins = await readFile(REQUIREMENTS, 'utf8')
  if (pins.includes(`==${version} `)) return { requirements: pins, hashes: ['--require-hashes'] }
  if (!isWished)
    throw new LakeduelError('SETUP_FAILED', `${REQUIREMENTS} pins no wheels for DuckDB ${version}.`, {
      facts: { version },
    })
  const names = DUCKDB_EXTENSIONS.map((name) => `duckdb-extension-${name.replaceAll('_', '-')}==${version}`)
  return { requirements: `${names.join('\n')}\n`, hashes: [] }
}

async function fromDuckdb(
  { workDir, report }: StepContext,
  _python: string,
  { folder }: Gathered,
): Promise<void> {
  report("DuckDB's own INSTALL")
  const files = await installExtensions(DUCKDB_EXTENSIONS, workDir)
  for (const [name, path] of Object.entries(files)) await rename(path, join(folder, `${name}${FILE_ENDING}`))
}
