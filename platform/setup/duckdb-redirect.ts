// Loaded before a program (`node --import`): it takes DuckDB from the folder that a variable names, so that the same sources run
// with another release of it.
import { registerHooks } from 'node:module'
import { duckdbFolderUrl } from './duckdb-folder.ts'

const PACKAGE = '@duckdb/node-api'
const parentURL = duckdbFolderUrl()

if (parentURL !== null) {
  registerHooks({
    resolve: (specifier, context, nextResolve) =>
      nextResolve(specifier, specifier === PACKAGE ? { ...context, parentURL } : context),
  })
}
