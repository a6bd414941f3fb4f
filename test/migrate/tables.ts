import { cp, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { DeltaLog } from '../../migrate/log/log.ts'
import { readSnapshot } from '../../migrate/log/snapshot.ts'
import { parseLocation } from '../../migrate/source/location.ts'
import { openSource } from '../../migrate/source/open.ts'

const FIXTURES = fileURLToPath(new URL('fixtures/tables', import.meta.url))

/** The folder of a table of test/migrate/fixtures, such as `dat/cdf/delta`. */
export function fixture(name: string): string {
  return join(FIXTURES, name)
}

/** Every table of the fixtures, by the folder that holds its log. */
export async function fixtureNames(): Promise<readonly string[]> {
  const found = await readdir(FIXTURES, { recursive: true, withFileTypes: true })
  return found
    .filter((entry) => entry.isDirectory() && entry.name === '_delta_log')
    .map(({ parentPath }) => parentPath.slice(FIXTURES.length + 1))
    .toSorted()
}

/** A table that a test makes, or a copy of a fixture that it spoils; removed with it. */
export class ScratchTable implements AsyncDisposable {
  readonly path: string

  private constructor(path: string) {
    this.path = path
  }

  static async empty(): Promise<ScratchTable> {
    const table = new ScratchTable(await mkdtemp(join(tmpdir(), 'lakeduel-delta-')))
    await mkdir(join(table.path, '_delta_log'))
    return table
  }

  static async copyOf(name: string): Promise<ScratchTable> {
    const table = new ScratchTable(await mkdtemp(join(tmpdir(), 'lakeduel-delta-')))
    await cp(fixture(name), table.path, { recursive: true })
    return table
  }

  log(name: string): string {
    return join(this.path, '_delta_log', name)
  }

  commitFile(version: number): string {
    return this.log(`${String(version).padStart(20, '0')}.json`)
  }

  /** Writes a commit of these actions; a text is a line as it is. */
  async commit(version: number, actions: readonly (object | string)[]): Promise<void> {
    await writeFile(this.commitFile(version), linesOf(actions))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.path, { recursive: true })
  }
}

export function linesOf(actions: readonly (object | string)[]): string {
  return actions.map((action) => (typeof action === 'string' ? action : JSON.stringify(action))).join('\n')
}

export const PROTOCOL = { protocol: { minReaderVersion: 1, minWriterVersion: 2 } }

/** Of a table with one column `id`, or with the fields that are given. */
export function metadata(overrides: Readonly<Record<string, unknown>> = {}) {
  const fields = [{ name: 'id', type: 'long', nullable: true, metadata: {} }]
  return {
    metaData: {
      id: 'a-table',
      format: { provider: 'parquet', options: {} },
      schemaString: JSON.stringify({ type: 'struct', fields }),
      partitionColumns: [],
      configuration: {},
      createdTime: 1,
      ...overrides,
    },
  }
}

export function add(path: string, overrides: Readonly<Record<string, unknown>> = {}) {
  return {
    add: { path, partitionValues: {}, size: 10, modificationTime: 1, dataChange: true, ...overrides },
  }
}

export function remove(path: string) {
  return { remove: { path, deletionTimestamp: 1, dataChange: true } }
}

/** A source without extensions: enough for local logs. */
export function openLocal(path: string) {
  return openSource(parseLocation(path), {
    duckdbExtensions: {},
    s3: null,
    scratchDir: tmpdir(),
    memoryLimitBytes: 500_000_000,
  })
}

/** The state of a local table at a version, or the latest. */
export async function snapshotOf(path: string, asOf: number | null = null) {
  await using source = await openLocal(path)
  return await readSnapshot(await DeltaLog.open(source), asOf)
}
