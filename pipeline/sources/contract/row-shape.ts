import { DecimalText, type Row, type SourceTable } from '../source.ts'

/** How deep a nested value is looked at. */
const MAX_DEPTH = 20

/** A whole number that JSON's own would round comes as a bigint, nested too. */
const NESTED_KINDS = new Set(['string', 'number', 'boolean', 'bigint'])

/** What the pipeline could not take of a row. The values themselves are not told. */
export function problemsOfRow(table: SourceTable, row: Row): readonly string[] {
  const declared = table.columns === null ? null : new Set(table.columns.map(({ name }) => name))
  return [
    ...Object.keys(row)
      .filter((name) => declared?.has(name) === false)
      .map((name) => `the column ${name} is not among those that were declared`),
    ...Object.entries(row)
      .filter(([, value]) => !isValue(value))
      .map(([name, value]) => `${name} is a ${kindOf(value)}, which no column can hold`),
    ...table.primaryKey
      .filter((name) => row[name] === undefined)
      .map((name) => `the key column ${name} is missing`),
  ]
}

function isValue(value: unknown): boolean {
  if (value instanceof Date) return !Number.isNaN(value.getTime())
  if (typeof value === 'bigint' || value instanceof Uint8Array || value instanceof DecimalText) return true
  return isJson(value, MAX_DEPTH)
}

function isJson(value: unknown, depth: number): boolean {
  if (value === null || value === undefined) return true
  if (typeof value !== 'object') return NESTED_KINDS.has(typeof value)
  if (depth === 0) return true
  if (Array.isArray(value)) return value.every((item) => isJson(item, depth - 1))
  return isPlain(value) && Object.values(value).every((inner) => isJson(inner, depth - 1))
}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === null || prototype === Object.prototype || Object.getPrototypeOf(prototype) === null
}

function kindOf(value: unknown): string {
  if (value instanceof Date) return 'date that is none'
  return typeof value === 'object' && value !== null ? value.constructor.name : typeof value
}
