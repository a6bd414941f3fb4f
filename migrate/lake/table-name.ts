import { LAKE } from '../../backends/ducklake/catalog.ts'
import { identifier } from '../../platform/duckdb/sql.ts'
import { LakeduelError } from '../../platform/errors.ts'

/** The name of a lake table, as it is and not as SQL writes it. */
export interface TableName {
  readonly schema: string
  readonly table: string
}

/**
 * What `--table` says: `table`, `schema.table`, with double quotes around a part that has dots in it.
 * @throws LakeduelError `USAGE`
 */
export function parseTableName(text: string): TableName {
  const parts = [...text.matchAll(/(?:^|\.)(?:"((?:[^"]|"")*)"|([^".]*))/g)]
  const whole = parts.map(([part]) => part).join('')
  const names = parts.map(([, quoted, plain]) => quoted?.replaceAll('""', '"') ?? plain ?? '')
  const [first = '', second] = names
  if (whole !== text || names.length > 2 || names.includes('')) {
    throw new LakeduelError('USAGE', `--table ${text} is no name of a table.`, {
      remedy: 'Give TABLE or SCHEMA.TABLE, and put a name with dots or quotes between double quotes.',
    })
  }
  return second === undefined ? { schema: 'main', table: first } : { schema: first, table: second }
}

/** As SQL writes it, in the open catalog. */
export function sqlName({ schema, table }: TableName): string {
  return `${LAKE}.${identifier(schema)}.${identifier(table)}`
}

/** Tables whose names begin so are lakeduel's own. */
const PREFIX = '__lakeduel_'

/** The table that a migration fills, until it takes its name. */
export function stagingName({ schema, table }: TableName): TableName {
  return { schema, table: `${PREFIX}migrating_${table}` }
}

/** The table that keeps the state of a migration. */
export function stateName({ schema, table }: TableName): TableName {
  return { schema, table: `${PREFIX}migration_${table}` }
}

/** The table that says which rows came from which rewritten data file. */
export function rangesName({ schema, table }: TableName): TableName {
  return { schema, table: `${PREFIX}rewritten_${table}` }
}
