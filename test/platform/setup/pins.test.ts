import { readFile } from 'node:fs/promises'
import { expect, it } from 'vitest'
import { DUCKDB_EXTENSIONS, duckdbVersion } from '../../../platform/setup/duckdb-extensions.ts'

const requirements = await readFile(
  new URL('../../../platform/setup/duckdb-extensions.txt', import.meta.url),
  'utf8',
)

it.each(DUCKDB_EXTENSIONS)(
  'pins the %s extension, with hashes, for exactly the DuckDB in use',
  async (name) => {
    const pin = `duckdb-extension-${name.replaceAll('_', '-')}==${await duckdbVersion()} \\\n    --hash=sha256:`
    expect(requirements).toContain(pin)
  },
)
