import type { DeltaField, DeltaType } from '../log/schema.ts'
import { lakeTypeOfLeaf } from '../parquet/lake-type.ts'
import type { ParquetNode } from '../parquet/schema.ts'
import { sqlOf } from './types.ts'

/** How the columns of a file fit the table, as DuckLake would take them when the file is added. */
export interface ColumnFit {
  /** Why the file can't be added, or would be read wrongly; empty where it can. */
  readonly problems: readonly string[]
  /** Columns of the table, by physical name, that the file doesn't have: they are NULL there. */
  readonly missing: readonly string[]
  /** Columns of the file that the table doesn't have: they are ignored. */
  readonly extra: readonly string[]
}

/** The widths that an integer column may have in a file. */
const INTEGERS: Readonly<Record<string, readonly string[]>> = {
  TINYINT: ['TINYINT'],
  SMALLINT: ['SMALLINT', 'TINYINT', 'UTINYINT'],
  INTEGER: ['INTEGER', 'SMALLINT', 'TINYINT', 'USMALLINT', 'UTINYINT'],
  BIGINT: ['BIGINT', 'INTEGER', 'SMALLINT', 'TINYINT', 'UINTEGER', 'USMALLINT', 'UTINYINT'],
}

/** @param fields those that the files hold: partition columns are in their paths */
export function fitColumns(
  fields: readonly DeltaField[],
  partitions: readonly string[],
  nodes: readonly ParquetNode[],
): ColumnFit {
  const fit = fitFields(fields, nodes, '')
  const inPaths = new Set(partitions)
  const extra = fit.extra.filter((name) => !inPaths.has(name))
  return { ...fit, extra }
}

function fitFields(fields: readonly DeltaField[], nodes: readonly ParquetNode[], prefix: string): ColumnFit {
  const byName = new Map(nodes.map((node) => [node.name, node]))
  const wanted = new Map(fields.map((field) => [field.physicalName.toLowerCase(), field]))
  const problems: string[] = []
  const missing: string[] = []
  for (const field of fields) {
    const node = byName.get(field.physicalName)
    if (node === undefined) missing.push(field.physicalName)
    else problems.push(...fitField(field, node, prefix))
  }
  const extra = nodes.filter(({ name }) => wanted.get(name.toLowerCase())?.physicalName !== name)
  for (const { name } of extra) {
    const near = wanted.get(name.toLowerCase())
    // DuckLake finds columns whatever their case, Delta by their exact names.
    if (near !== undefined)
      problems.push(`"${prefix}${name}" differs from "${prefix}${near.physicalName}" by case alone`)
  }
  return { problems, missing, extra: extra.map(({ name }) => name) }
}

function fitField(field: DeltaField, node: ParquetNode, prefix: string): readonly string[] {
  const expectedId = field.metadata['delta.columnMapping.id']
  const path = `${prefix}${field.name}`
  if (node.fieldId !== null && typeof expectedId === 'number' && node.fieldId !== expectedId) {
    return [`"${path}" has the id ${node.fieldId} in the file and ${expectedId} in the table`]
  }
  return fitType(field.type, node, path)
}

function fitType(type: DeltaType, node: ParquetNode, path: string): readonly string[] {
  if (type.kind === 'struct') return fitStruct(type.fields, node, path)
  if (type.kind === 'array') return fitList(type.element, node, path)
  if (type.kind === 'map') return fitMap(type.key, type.value, node, path)
  if (node.children.length > 0) {
    return [`"${path}" is ${sqlOf(type, 'logical')}, and a group of columns in the file`]
  }
  return fitLeaf(sqlOf(type, 'logical'), lakeTypeOfLeaf(node), path)
}

function fitStruct(fields: readonly DeltaField[], node: ParquetNode, path: string): readonly string[] {
  if (node.children.length === 0 || node.convertedType !== null) return [`"${path}" is no struct in the file`]
  const { problems, missing, extra } = fitFields(fields, node.children, `${path}.`)
  return [
    ...problems,
    ...missing.map((name) => `"${path}" lacks the field ${name}`),
    ...extra.map((name) => `"${path}" has a field ${name} that the table doesn't have`),
  ]
}

/** The three levels of the Parquet specification; older layouts are read wrongly, or crash DuckDB. */
function fitList(element: DeltaType, node: ParquetNode, path: string): readonly string[] {
  const [list] = node.children
  const [item] = list?.children ?? []
  const standard =
    node.convertedType === 'LIST' &&
    list?.repeated === true &&
    list.children.length === 1 &&
    list.name !== 'array'
  if (!standard || item === undefined) return [`"${path}" is a list of an old layout`]
  return fitType(element, item, `${path}.element`)
}

function fitMap(key: DeltaType, value: DeltaType, node: ParquetNode, path: string): readonly string[] {
  const [entries] = node.children
  const [keyNode, valueNode] = entries?.children ?? []
  const standard =
    node.convertedType === 'MAP' &&
    entries?.repeated === true &&
    keyNode?.name === 'key' &&
    valueNode?.name === 'value'
  if (!standard) return [`"${path}" is a map of an old layout`]
  return [...fitType(key, keyNode, `${path}.key`), ...fitType(value, valueNode, `${path}.value`)]
}

function fitLeaf(wanted: string, found: string, path: string): readonly string[] {
  if (wanted === found || INTEGERS[wanted]?.includes(found) === true) return []
  if (found === 'INT96') {
    return [`"${path}" is stored as INT96, whose values would depend on the reader's time zone`]
  }
  if (growsDecimal(wanted, found)) return []
  // FLOAT to DOUBLE, too: DuckLake would compare with bounds that mean another number (duckdb/ducklake#1307).
  return [`"${path}" is ${wanted}, and ${found} in the file`]
}

function growsDecimal(wanted: string, found: string): boolean {
  const [w, f] = [wanted, found].map((text) => /^DECIMAL\((\d+),(\d+)\)$/.exec(text)?.slice(1).map(Number))
  if (w === undefined || f === undefined) return false
  const [[precision = 0, scale = 0], [fileprecision = 0, fileScale = 0]] = [w, f]
  return fileScale <= scale && fileprecision <= precision && fileprecision - fileScale <= precision - scale
}
