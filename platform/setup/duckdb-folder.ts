import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

const VARIABLE = 'LAKEDUEL_DUCKDB_FROM'

/** From where DuckDB's package is looked for in place of the installed one; null where nothing is wished. */
export function duckdbFolderUrl(): string | null {
  const folder = process.env[VARIABLE] ?? ''
  return folder === '' ? null : pathToFileURL(join(folder, 'package.json')).href
}

/** The variables by which a process, and those that it starts, take DuckDB from a folder. */
export function duckdbVariables(folder: string): Readonly<Record<string, string>> {
  // TypeScript in a checkout, JavaScript in the package.
  const redirect = new URL(`./duckdb-redirect${import.meta.url.slice(-3)}`, import.meta.url).href
  const options = [process.env['NODE_OPTIONS'] ?? '', `--import=${redirect}`].join(' ').trim()
  return { [VARIABLE]: folder, NODE_OPTIONS: options }
}
