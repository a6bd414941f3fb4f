import { snakeCase } from './snake-case.ts'

/** What `backends/schema.ts` allows, less room for the underscores of names that fall together. */
const MAX_LENGTH = 240

/** A CSV column without a heading, or a JSON key that is empty. */
const UNNAMED = 'unnamed'

/**
 * - `lakeduel_` begins the names that lakeduel adds to rows and to scans.
 * - DuckLake keeps `_ducklake_internal_` to itself while small changes are inlined.
 */
const RESERVED_PREFIXES = ['lakeduel_', '_ducklake_internal_'] as const

/**
 * - DuckDB can't number the rows of a file that has a column `file_row_number`.
 * - Delta's change feed has the other three, and can't be switched on for a table that has them.
 *
 * Words of SQL are no problem, since both backends quote every name.
 */
const RESERVED: ReadonlySet<string> = new Set([
  'file_row_number',
  '_change_type',
  '_commit_version',
  '_commit_timestamp',
])

/**
 * The lake's names of a table's columns. Where the names of two columns fall together, `_` is put in front of one of them
 * as often as it takes. A name once given stays.
 *
 * Of columns that are new at the same time, the one that is called so at the source keeps the plain name, then it goes by
 * the order of their names; the order in which they show up doesn't matter.
 */
export class ColumnNames {
  readonly #bySource: Map<string, string>
  readonly #taken: Set<string>

  /** @param given the names of earlier runs, by the source's names */
  constructor(given: Iterable<readonly [string, string]> = []) {
    this.#bySource = new Map(given)
    this.#taken = new Set(this.#bySource.values())
  }

  /** All names that were given, by the source's names, in the order in which they were: what the next run starts with. */
  get given(): ReadonlyMap<string, string> {
    return this.#bySource
  }

  /** Names the columns that have no name yet. */
  add(sources: Iterable<string>): void {
    const unknown = [...new Set(sources)].filter((source) => !this.#bySource.has(source))
    const plain = new Map(unknown.map((source) => [source, plainName(source)]))
    const isPlain = (source: string) => (plain.get(source) === source ? 0 : 1)
    const inOrder = unknown.toSorted((a, b) => isPlain(a) - isPlain(b) || (a < b ? -1 : 1))
    const assigned = new Map(inOrder.map((source) => [source, this.#take(plain.get(source) ?? UNNAMED)]))
    // Columns stay in the order in which the source has them.
    for (const source of unknown) this.#bySource.set(source, assigned.get(source) ?? UNNAMED)
  }

  #take(plain: string): string {
    let name = plain
    while (this.#taken.has(name) || isReserved(name)) name = `_${name}`
    this.#taken.add(name)
    return name
  }
}

/** The name of a column that no other one is in the way of. */
export function plainName(source: string): string {
  return snakeCase(source, MAX_LENGTH) || UNNAMED
}

function isReserved(name: string): boolean {
  return RESERVED.has(name) || RESERVED_PREFIXES.some((prefix) => name.startsWith(prefix))
}
