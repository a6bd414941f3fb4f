import { join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import { z } from 'zod'

const rowSchema = z.tuple([z.string(), z.string()])

/**
 * Downloads signed extensions with DuckDB's own `INSTALL`, for the version and platform of the DuckDB in use.
 * @returns the files, by extension name, somewhere below `folder`
 */
export async function installExtensions(
  names: readonly string[],
  folder: string,
): Promise<Readonly<Record<string, string>>> {
  const instance = await DuckDBInstance.create(':memory:', { extension_directory: join(folder, 'installed') })
  try {
    const connection = await instance.connect()
    for (const name of names) await connection.run(`INSTALL ${name}`)
    const installed = await connection.runAndReadAll(
      'SELECT extension_name, install_path FROM duckdb_extensions() WHERE installed AND install_path <> $builtIn',
      { builtIn: '(BUILT-IN)' },
    )
    const paths = installed.getRows().map((row) => rowSchema.parse(row))
    return Object.fromEntries(paths.filter(([name]) => names.includes(name)))
  } finally {
    instance.closeSync()
  }
}
