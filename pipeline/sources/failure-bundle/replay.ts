import { isDeepStrictEqual } from 'node:util'
import { LakeduelError } from '../../../platform/errors.ts'
import { parseSourceConfig, type RawConfig } from '../config.ts'
import { classify } from '../errors.ts'
import { rowBytes } from '../row-bytes.ts'
import { secretsOf } from '../secrets.ts'
import type {
  ClassifiedFailure,
  JsonValue,
  Page,
  ReadRequest,
  Row,
  SourceDefinition,
  SourceTable,
} from '../source.ts'
import { type Bundle, readWithheld, type Withheld } from './bundle.ts'
import { shapeOf } from './shape.ts'
import type { MaybeWithheld } from './withheld.ts'

/** What came of reading the page again. */
export type Replayed =
  | { readonly outcome: 'page'; readonly page: PageShape; readonly changes: readonly string[] }
  /** The table ended where the page that failed was. */
  | { readonly outcome: 'end'; readonly changes: readonly string[] }
  | {
      readonly outcome: 'failure'
      readonly failure: ClassifiedFailure
      /** Whether it is the failure of the bundle. */
      readonly same: boolean
      readonly changes: readonly string[]
    }

/** A page without its values. */
export interface PageShape {
  readonly rows: number
  readonly bytes: number
  /** What the values of each column are, each kind once. */
  readonly columns: Readonly<Record<string, readonly string[]>>
}

export interface ReplayOptions {
  readonly bundle: Bundle
  /** Where it lies. */
  readonly folder: string
  readonly definition: SourceDefinition
  /** Secrets included. */
  readonly config: RawConfig
  /** A file with what the bundle withholds; null looks beside the bundle. */
  readonly cursorFile: string | null
  readonly signal: AbortSignal
}

/**
 * Reads the page that failed, and nothing else.
 * @throws LakeduelError `CONFIG_INVALID` for settings that are no good, or a cursor that is withheld and not to be found
 */
export async function replay(options: ReplayOptions): Promise<Replayed> {
  const { bundle, definition, config, signal } = options
  const parsed = parseSourceConfig(definition, config)
  const place = await placeOf(options)
  const changes: string[] = []
  if (definition.version !== bundle.source.version)
    changes.push(`the source is version ${definition.version}; it failed as version ${bundle.source.version}`)
  try {
    await using source = await definition.open(parsed)
    const table = tableOf(await source.discover(), bundle, changes)
    const request: ReadRequest = { ...place, table, signal, limits: bundle.read.limits, parents: null }
    const page = await firstPage(source.read(request))
    return page === null ? { outcome: 'end', changes } : { outcome: 'page', page: shapeOfPage(page), changes }
  } catch (error) {
    signal.throwIfAborted()
    const failure = classify(definition, error, secretsOf(definition, config))
    return { outcome: 'failure', failure, same: failure.code === bundle.failure.code, changes }
  }
}

async function placeOf({
  bundle,
  folder,
  cursorFile,
}: ReplayOptions): Promise<Pick<ReadRequest, 'resume' | 'incremental'>> {
  const { cursor, incremental } = bundle.read
  const withheld = await readWithheld(folder, cursorFile)
  return {
    resume: valueOf(cursor, withheld, 'cursor'),
    incremental:
      incremental === null
        ? null
        : { field: incremental.field, since: valueOf(incremental.since, withheld, 'since') },
  }
}

function valueOf(value: MaybeWithheld, withheld: Withheld | null, key: keyof Withheld): JsonValue {
  if (value.is === 'shown') return value.value
  if (withheld !== null) return withheld[key]
  throw new LakeduelError(
    'CONFIG_INVALID',
    'The cursor of the bundle is withheld, and not to be found beside it.',
    {
      facts: { shape: value.shape },
      remedy:
        'Name the file with it with --cursor: it was written to `failure-cursors`, beside the folder of the bundles.',
    },
  )
}

function tableOf(tables: readonly SourceTable[], { table }: Bundle, changes: string[]): SourceTable {
  const found = tables.find(({ name }) => name === table.name)
  if (found === undefined)
    throw new LakeduelError('TABLE_NOT_FOUND', `The source has no table ${table.name} any more.`, {
      facts: { table: table.name, tables: tables.map(({ name }) => name) },
    })
  if (!isDeepStrictEqual(found.columns, table.columns)) changes.push('the columns of the table are others')
  if (!isDeepStrictEqual(found.primaryKey, table.primaryKey)) changes.push('the key of the table is another')
  return found
}

async function firstPage(pages: AsyncIterable<Page>): Promise<Page | null> {
  for await (const page of pages) return page
  return null
}

function shapeOfPage({ rows, bytes }: Page): PageShape {
  const kinds = new Map<string, Set<string>>()
  for (const row of rows) addKinds(kinds, row)
  return {
    rows: rows.length,
    bytes: bytes ?? rows.reduce((sum, row) => sum + rowBytes(row), 0),
    columns: Object.fromEntries([...kinds].map(([name, seen]) => [name, [...seen].toSorted()])),
  }
}

function addKinds(kinds: Map<string, Set<string>>, row: Row): void {
  for (const [name, value] of Object.entries(row)) {
    const seen = kinds.get(name) ?? new Set()
    seen.add(kindOf(value))
    kinds.set(name, seen)
  }
}

/** Without lengths, of which every row has its own. */
function kindOf(value: unknown): string {
  const shape = shapeOf(value)
  if (typeof shape === 'string') return shape.replace(/\(\d+(?:, )?/, '(').replace('()', '')
  return Array.isArray(value) ? 'list' : 'object'
}
