import { isDeepStrictEqual } from 'node:util'
import { keysAt } from '../config-keys.ts'
import type { SourceTable } from '../source.ts'
import { type ContractCheck, fail, pass, sourceCheck } from './check.ts'
import type { ContractSubject } from './subject.ts'

export const definitionCheck: ContractCheck = sourceCheck(
  'definition',
  'the definition names the source, its version and the secrets among its settings',
  ({ definition }) => {
    const { name, title, version, config, secretKeys } = definition
    const known = keysAt(config, [])
    const problems = [
      ...(/^[a-z][a-z0-9-]{0,62}$/.test(name)
        ? []
        : [`the name '${name}' isn't lower-case words with hyphens`]),
      ...(title.trim() === '' ? ['the title is empty'] : []),
      ...(Number.isInteger(version) && version > 0 ? [] : ['the version is no whole number from 1']),
      ...secretKeys
        .filter((key) => !key.includes('.') && known.length > 0 && !nested(definition.config, key, known))
        .map((key) => `the secret '${key}' is no setting`),
    ]
    return Promise.resolve(
      problems.length > 0 ? fail(problems.join('; ')) : pass(`${name}, version ${version}`),
    )
  },
)

/** Secrets may lie deeper than the top of the settings, and then only their own key is known here. */
function nested(config: Parameters<typeof keysAt>[0], key: string, known: readonly string[]): boolean {
  return known.includes(key) || known.some((parent) => keysAt(config, [parent]).includes(key))
}

export const discoveryCheck: ContractCheck = sourceCheck(
  'discovery',
  'discovery names every table once, with keys and fields that are columns of it, and says the same twice',
  async (subject) => {
    const [first, second] = [await subject.discover(), await subject.discover()]
    if (first.length === 0) return fail('there are no tables')
    const problems = [...problemsOfNames(first), ...first.flatMap((table) => problemsOfTable(table, first))]
    if (problems.length > 0) return fail(problems.join('; '))
    if (!isDeepStrictEqual(first.map(withoutEstimate), second.map(withoutEstimate)))
      return fail('a second discovery says something else', changed(first, second))
    return await missingTables(subject, first)
  },
)

async function missingTables(subject: ContractSubject, all: readonly SourceTable[]) {
  const looked = await subject.tables()
  return looked.length === 0
    ? fail('none of the tables that were asked for is there', { tables: all.map(({ name }) => name) })
    : pass(all.length === 1 ? 'one table' : `${all.length} tables`)
}

/** Estimates may change with every look. */
function withoutEstimate({
  estimatedRows: _estimatedRows,
  ...rest
}: SourceTable): Omit<SourceTable, 'estimatedRows'> {
  return rest
}

function changed(first: readonly SourceTable[], second: readonly SourceTable[]) {
  const differing = first.filter((table, index) => {
    const other = second[index]
    return other === undefined || !isDeepStrictEqual(withoutEstimate(table), withoutEstimate(other))
  })
  return { tables: differing.map(({ name }) => name) }
}

function problemsOfNames(tables: readonly SourceTable[]): readonly string[] {
  const names = tables.map(({ name }) => name)
  return [
    ...(names.includes('') ? ['a table has no name'] : []),
    ...names.filter((name, index) => names.indexOf(name) < index).map((name) => `${name} is there twice`),
  ]
}

function problemsOfTable(table: SourceTable, all: readonly SourceTable[]): readonly string[] {
  const { name, columns, primaryKey, incremental, partition, parent, estimatedRows } = table
  const problems: string[] = []
  const known = columns?.map((column) => column.name) ?? null
  if (known?.length === 0) problems.push('it has no columns')
  for (const column of known ?? [])
    if (known?.indexOf(column) !== known?.lastIndexOf(column))
      problems.push(`the column ${column} is there twice`)
  const used = [...primaryKey, ...incremental.map((field) => field.name), ...(partition?.columns ?? [])]
  for (const column of used)
    if (known?.includes(column) === false) problems.push(`${column} is no column of it`)
  if (partition?.columns.length === 0) problems.push('its partitioning names no column')
  if (parent !== null) problems.push(...problemsOfParent(parent, all))
  if (estimatedRows !== null && !(estimatedRows >= 0)) problems.push(`it has ${estimatedRows} rows`)
  return [...new Set(problems)].map((problem) => `${name}: ${problem}`)
}

function problemsOfParent(
  { table, columns, recencyColumn }: NonNullable<SourceTable['parent']>,
  all: readonly SourceTable[],
): readonly string[] {
  const parent = all.find(({ name }) => name === table)
  if (parent === undefined) return [`its parent ${table} is no table`]
  const known = parent.columns?.map(({ name }) => name)
  const used = [...columns, ...(recencyColumn === null ? [] : [recencyColumn])]
  return used
    .filter((column) => known?.includes(column) === false)
    .map((column) => `${column} is no column of its parent`)
}
