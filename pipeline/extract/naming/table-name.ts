import { LakeduelError } from '../../../platform/errors.ts'
import { snakeCase } from './snake-case.ts'

/** PostgreSQL's limit, which `backends/schema.ts` takes over: a name of a table is a name in the catalog, too. */
const MAX_LENGTH = 63
/** Unlike a column's name, a table's has digits of ASCII only. */
const OTHER_DIGITS = /(?![0-9])\p{Nd}/gu

/**
 * The lake's name of a source's table: the same snake_case as that of columns, at most 63 characters, in ASCII alone.
 * @throws LakeduelError `CONFIG_INVALID` for a name of white space only
 */
export function tableName(source: string): string {
  const name = snakeCase(source.replaceAll(OTHER_DIGITS, '_'), MAX_LENGTH)
  if (name === '') {
    throw new LakeduelError('CONFIG_INVALID', 'The name of the table is empty.', {
      facts: { table: source },
      remedy: 'Name the table in the lake yourself.',
    })
  }
  return name.startsWith('lakeduel_') ? snakeCase(`_${name}`, MAX_LENGTH) : name
}
