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

const FITS: ColumnFit = { problems: [], missing: [], extra: [] }

/**
 * @param fields those that the files hold
 * @param partitions physical names of the others, which are in the paths of files
 */
export function fitColumns(
  fields: readonly DeltaField[],
  partitions: readonly string[],
  nodes: readonly ParquetNode[],
): ColumnFit {
  const fit = fitFields(fields, nodes, '')
  const inPaths = new Set(partitions)
  return { ...fit, extra: fit.extra.filter((name) => !inPaths.has(name)) }
}

function fitFields(fields: readonly DeltaField[], nodes: readonly ParquetNode[], prefix: string): ColumnFit {
  const byName = new Map(nodes.map((node) => [node.name, node]))
  const byLower = new Map(fields.map((field) => [field.physicalName.toLowerCase(), field.physicalName]))
  const fits = fields.map((field) => {
    const node = byName.get(field.physicalName)
    return node === undefined
      ? { ...FITS, missing: [`${prefix}${field.physicalName}`] }
      : fitField(field, node, `${prefix}${field.physicalName}`)
  })
  const extra = nodes.map(({ name }) => name).filter((name) => byLower.get(name.toLowerCase()) !== name)
  const nearMisses = extra.flatMap((name) => {
    const near = byLower.get(name.toLowerCase())
    // DuckLake finds columns whatever their case, Delta by their exact names.
    return near === undefined ? [] : [`"${prefix}${name}" differs from "${prefix}${near}" by case alone`]
  })
  const own = { problems: nearMisses, missing: [], extra: extra.map((name) => `${prefix}${name}`) }
  return together([own, ...fits])
}

function together(fits: readonly ColumnFit[]): ColumnFit {
  return {
    problems: fits.flatMap(({ problems }) => problems),
    missing: fits.flatMap(({ missing }) => missing),
    extra: fits.flatMap(({ extra }) => extra),
  }
}

function misfit(problem: string): ColumnFit {
  return { ...FITS, problems: [problem] }
}

function fitField(field: DeltaField, node: ParquetNode, path: string): ColumnFit {
  const expectedId = field.metadata['delta.columnMapping.id']
  if (node.fieldId !== null && typeof expectedId === 'number' && node.fieldId !== expectedId) {
    return misfit(`"${path}" has the id ${node.fieldId} in the file and ${expectedId} in the table`)
  }
  return fitType(field.type, node, path)
}

function fitType(type: DeltaType, node: ParquetNode, path: string): ColumnFit {
  if (type.kind === 'struct') return fitStruct(type.fields, node, path)
  if (type.kind === 'array') return fitList(type.element, node, path)
  if (type.kind === 'map') return fitMap(type.key, type.value, node, path)
  const sql = sqlOf(type, 'logical')
  if (node.children.length > 0) return misfit(`"${path}" is ${sql}, and a group of columns in the file`)
  const problem = leafProblem(sql, lakeTypeOfLeaf(node), path)
  return problem === null ? FITS : misfit(problem)
}

function fitStruct(fields: readonly DeltaField[], node: ParquetNode, path: string): ColumnFit {
  return node.children.length === 0 || node.convertedType !== null
    ? misfit(`"${path}" is no struct in the file`)
    : fitFields(fields, node.children, `${path}.`)
}

/** The three levels of the Parquet specification; older layouts are read wrongly, or crash DuckDB. */
function fitList(element: DeltaType, node: ParquetNode, path: string): ColumnFit {
  const [list] = node.children
  const [item] = list?.children ?? []
  const standard =
    node.convertedType === 'LIST' &&
    list?.repeated === true &&
    list.children.length === 1 &&
    list.name !== 'array'
  if (!standard || item === undefined) return misfit(`"${path}" is a list of an old layout`)
  return fitType(element, item, `${path}.element`)
}

function fitMap(key: DeltaType, value: DeltaType, node: ParquetNode, path: string): ColumnFit {
  const [entries] = node.children
  const [keyNode, valueNode] = entries?.children ?? []
  const standard =
    node.convertedType === 'MAP' &&
    entries?.repeated === true &&
    keyNode?.name === 'key' &&
    valueNode?.name === 'value'
  if (!standard) return misfit(`"${path}" is a map of an old layout`)
  return together([fitType(key, keyNode, `${path}.key`), fitType(value, valueNode, `${path}.value`)])
}

function leafProblem(wanted: string, found: string, path: string): string | null {
  if (wanted === found || INTEGERS[wanted]?.includes(found) === true) return null
  if (found === 'INT96') {
    return `"${path}" is stored as INT96, whose values would depend on the reader's time zone`
  }
  if (growsDecimal(wanted, found)) return null
  // FLOAT to DOUBLE, too: DuckLake would compare with bounds that mean another number (duckdb/ducklake#1307).
  return `"${path}" is ${wanted}, and ${found} in the file`
}

function growsDecimal(wanted: string, found: string): boolean {
  const [w, f] = [wanted, found].map((text) => /^DECIMAL\((\d+),(\d+)\)$/.exec(text)?.slice(1).map(Number))
  if (w === undefined || f === undefined) return false
  const [[precision = 0, scale = 0], [filePrecision = 0, fileScale = 0]] = [w, f]
  return fileScale <= scale && filePrecision <= precision && filePrecision - fileScale <= precision - scale
}
