import { hashOfText, Random } from '../random.ts'
import type { Row, SourceColumn } from '../source.ts'
import type { ColumnKind, Drift, SyntheticTable } from './config.ts'
import { EPOCH_MS, filler, KINDS } from './values.ts'

/** What a random number decides, so that the same numbers serve no two purposes. */
const SALTS = { duplicate: 1, revision: 2, nullKey: 3, payload: 4, columns: 100 } as const

const MINUTE_MS = 60_000
const REVISION_MS = 30 * 86_400_000
/** A revision changes one row of so many. */
const ROWS_PER_CHANGE = 10
/** How far back a duplicate's key lies at most. */
const DUPLICATE_REACH = 1_000

/** The rows of one synthetic table: each a function of the seed, the row's number and its revision, so that none is kept. */
export class SyntheticRows {
  readonly #table: SyntheticTable
  readonly #seed: number
  readonly #tableHash: number
  readonly #columns: readonly { readonly name: string; readonly kind: ColumnKind }[]

  constructor(seed: number, table: SyntheticTable) {
    this.#seed = seed
    this.#table = table
    this.#tableHash = hashOfText(table.name)
    this.#columns = table.columns.map((kind, index) => ({ name: `${kind}_${index + 1}`, kind }))
  }

  /** As they are before any drift. */
  get columns(): readonly SourceColumn[] {
    const { nullKeys, widthBytes } = this.#table
    return [
      { name: 'id', type: { kind: 'int64' }, nullable: nullKeys > 0 },
      { name: 'created_at', type: { kind: 'timestamptz' }, nullable: false },
      { name: 'updated_at', type: { kind: 'timestamptz' }, nullable: false },
      ...this.#columns.map(({ name, kind }) => ({ name, type: KINDS[kind].type, nullable: true })),
      ...(widthBytes > 0 ? [{ name: 'payload', type: { kind: 'string' }, nullable: false } as const] : []),
    ]
  }

  /** The last of the table's revisions that changed the row. */
  revisionOf(row: number): number {
    for (let revision = this.#table.revisions; revision > 0; revision -= 1) {
      if (this.#random(row, SALTS.revision, revision).below(ROWS_PER_CHANGE) === 0) return revision
    }
    return 0
  }

  /** Milliseconds; rises with the revision, and within one with the row's number. */
  updatedAtMs(row: number, revision: number): number {
    return EPOCH_MS + revision * REVISION_MS + row
  }

  /** A row as of a revision. */
  at(row: number, revision: number): Row {
    const key = this.#keyOf(row)
    const made: Record<string, unknown> = {
      id: this.#random(row, SALTS.nullKey).share() < this.#table.nullKeys ? null : key,
      created_at: new Date(EPOCH_MS + key * MINUTE_MS),
      updated_at: new Date(this.updatedAtMs(row, revision)),
    }
    for (const [index, { name, kind }] of this.#columns.entries())
      made[name] = this.#value(kind, this.#random(row, SALTS.columns + index, revision))
    if (this.#table.widthBytes > 0)
      made['payload'] = filler(this.#random(row, SALTS.payload, revision), this.#table.widthBytes)
    for (const [index, drift] of this.#table.drift.entries()) {
      if (row >= drift.atRow)
        this.#apply(made, drift, index, this.#random(row, SALTS.columns - 1 - index, revision))
    }
    return made
  }

  #apply(made: Record<string, unknown>, drift: Drift, index: number, random: Random): void {
    if ('drop' in drift) delete made[drift.drop]
    else if ('add' in drift) made[`added_${index}`] = this.#value(drift.add, random)
    else made[drift.column] = this.#value(drift.to, random)
  }

  #value(kind: ColumnKind, random: Random): unknown {
    return random.share() < this.#table.nulls ? null : KINDS[kind].make(random)
  }

  #keyOf(row: number): number {
    const random = this.#random(row, SALTS.duplicate)
    const isDuplicate = row > 0 && random.share() < this.#table.duplicates
    return isDuplicate ? row - 1 - random.below(Math.min(row, DUPLICATE_REACH)) : row
  }

  #random(...parts: readonly number[]): Random {
    return new Random(this.#seed, this.#tableHash, ...parts)
  }
}
