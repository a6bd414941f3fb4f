import { DuckDBListType, DuckDBMapType, DuckDBStructType, type DuckDBType } from '@duckdb/node-api'
import { identifier } from '../../platform/duckdb/sql.ts'
import type { DeltaType } from '../log/schema.ts'
import { type Naming, nameOf, sqlOf } from '../plan/types.ts'

/** Reading a value otherwise than Delta means it can't happen: there is an expression, or there is none. */
export class NoConversion extends Error {
  override readonly name = 'NoConversion'
}

const INTEGERS: ReadonlySet<string> = new Set([
  'TINYINT',
  'SMALLINT',
  'INTEGER',
  'BIGINT',
  'UTINYINT',
  'USMALLINT',
  'UINTEGER',
])
const ZONELESS: ReadonlySet<string> = new Set(['TIMESTAMP', 'TIMESTAMP_MS', 'TIMESTAMP_S', 'TIMESTAMP_NS'])
const AS_TEXT: ReadonlySet<string> = new Set(['ENUM', 'UUID', 'JSON'])
const ZONED = 'TIMESTAMP WITH TIME ZONE'

/**
 * An expression that gives a value of a file as the table has it: as Delta would read it, whatever type the file has.
 * @param found as DuckDB reads it from the file; fields have their physical names
 * @param value what gives the value
 * @param naming of the fields in the result
 * @throws NoConversion where Delta wouldn't read such a file either
 */
export function readExpression(
  found: DuckDBType,
  wanted: DeltaType,
  value: string,
  naming: Naming,
  path: string,
): string {
  const target = sqlOf(wanted, naming)
  if (wanted.kind !== 'struct' && sameText(found, target)) return value
  if (wanted.kind === 'struct') return structExpression(found, wanted, value, naming, path)
  // Lambdas within lambdas have parameters of their own.
  const item = `e${path.split('.').length}`
  if (wanted.kind === 'array' && found instanceof DuckDBListType) {
    return `list_transform(${value}, lambda ${item}: ${readExpression(found.valueType, wanted.element, item, naming, `${path}.element`)})`
  }
  if (wanted.kind === 'map' && found instanceof DuckDBMapType) {
    const key = readExpression(found.keyType, wanted.key, `${item}.key`, naming, `${path}.key`)
    const mapped = readExpression(found.valueType, wanted.value, `${item}.value`, naming, `${path}.value`)
    const entries = `list_transform(map_entries(${value}), lambda ${item}: struct_pack(k := ${key}, v := ${mapped}))`
    return `CASE WHEN ${value} IS NOT NULL THEN map_from_entries(${entries}) END`
  }
  return leafExpression(found.toString(), target, value, path)
}

function structExpression(
  found: DuckDBType,
  wanted: Extract<DeltaType, { kind: 'struct' }>,
  value: string,
  naming: Naming,
  path: string,
): string {
  if (!(found instanceof DuckDBStructType)) throw noConversion(found.toString(), 'a struct', path)
  const types = new Map(found.entryNames.map((name, index) => [name, found.entryTypes[index]]))
  const fields = wanted.fields.map((field) => {
    const type = types.get(field.physicalName)
    const inner = `${value}.${identifier(field.physicalName)}`
    const read =
      type === undefined
        ? `CAST(NULL AS ${sqlOf(field.type, naming)})`
        : readExpression(type, field.type, inner, naming, `${path}.${field.name}`)
    return `${identifier(nameOf(field, naming))} := ${read}`
  })
  if (sameText(found, sqlOf(wanted, naming))) return value
  return `CASE WHEN ${value} IS NOT NULL THEN struct_pack(${fields.join(', ')}) END`
}

function leafExpression(found: string, target: string, value: string, path: string): string {
  if (target === 'VARCHAR' && found === 'BLOB') return `decode(${value})`
  if (target === 'BLOB' && found === 'VARCHAR') return `encode(${value})`
  if (target === ZONED && ZONELESS.has(found)) return `(CAST(${value} AS TIMESTAMP) AT TIME ZONE 'UTC')`
  if (target === 'TIMESTAMP' && found === ZONED) return `(${value} AT TIME ZONE 'UTC')`
  if (isWidening(found, target)) return `CAST(${value} AS ${target})`
  throw noConversion(found, target, path)
}

function isWidening(found: string, target: string): boolean {
  const isInteger = INTEGERS.has(found)
  const isDecimal = found.startsWith('DECIMAL')
  if (INTEGERS.has(target)) return isInteger
  if (target === 'DOUBLE') return isInteger || found === 'FLOAT'
  if (target.startsWith('DECIMAL')) return isInteger || isDecimal
  if (target === 'TIMESTAMP') return found === 'DATE' || ZONELESS.has(found)
  return target === 'VARCHAR' && AS_TEXT.has(found.split('(')[0] ?? found)
}

function sameText(found: DuckDBType, target: string): boolean {
  return found.toString().replaceAll(', ', ',') === target.replaceAll(', ', ',')
}

function noConversion(found: string, target: string, path: string): NoConversion {
  return new NoConversion(`${path} is ${found} in a file, which can't be read as ${target}`)
}
