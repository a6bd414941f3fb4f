/**
 * The account that the server serves. It is a function of its options: an object is computed from its index when it is
 * asked for, and nothing is kept of it. What is kept is what changed since the start: stretches of appended objects, the
 * indexes of removed ones, and customers that were made by request.
 */
import { digitsOf, IdCodec } from './ids.ts'
import { keyOf, mix } from './random.ts'
import { idStyle, type Nested, RESOURCES, type Resource } from './resources.ts'
import { Timeline } from './timeline.ts'

/** A parent's lines have the indexes from `parent * LINES_LIMIT` on, so that a line's id tells its parent too. */
const LINES_LIMIT = 256
const DAY_SECONDS = 86_400

export interface AccountOptions {
  readonly seed: number
  /** Objects of each kind at the start. */
  readonly counts: Readonly<Record<Resource, number>>
  /** Unix seconds. It moves only when objects are appended, so that runs repeat. */
  readonly nowSeconds: number
  /** The objects of the start were created within so many days before `nowSeconds`. */
  readonly historyDays: number
}

/** What a request gave to a customer that it made. */
export interface CustomerDetails {
  readonly name: string | null
  readonly email: string | null
  readonly description: string | null
}

export class Account {
  readonly id: string
  readonly #options: AccountOptions
  readonly #ids: ReadonlyMap<Resource | Nested, IdCodec>
  readonly #keys: ReadonlyMap<Resource | Nested, number>
  readonly #timelines: ReadonlyMap<Resource, Timeline>
  readonly #removed = new Map<Resource | Nested, Set<number>>()
  readonly #made = new Map<number, CustomerDetails>()
  #nowSeconds: number

  constructor(options: AccountOptions) {
    const kinds: readonly (Resource | Nested)[] = [
      ...RESOURCES,
      'invoice_line_items',
      'credit_note_line_items',
    ]
    const accountDigits = digitsOf(options.seed, 'account digits', 6)
    const span = options.historyDays * DAY_SECONDS
    this.#options = options
    this.#nowSeconds = options.nowSeconds
    this.id = `acct_1${accountDigits}${digitsOf(options.seed, 'account', 6)}`
    this.#ids = new Map(kinds.map((kind) => [kind, new IdCodec(idStyle(kind, accountDigits), options.seed)]))
    this.#keys = new Map(kinds.map((kind) => [kind, keyOf(options.seed, `values of ${kind}`)]))
    this.#timelines = new Map(
      RESOURCES.map((kind) => [kind, new Timeline(options.counts[kind], options.nowSeconds - span, span)]),
    )
  }

  get nowSeconds(): number {
    return this.#nowSeconds
  }

  timeline(resource: Resource): Timeline {
    return found(this.#timelines, resource)
  }

  idOf(kind: Resource | Nested, index: number): string {
    return found(this.#ids, kind).encode(index)
  }

  lineId(kind: Nested, parentIndex: number, place: number): string {
    return this.idOf(kind, parentIndex * LINES_LIMIT + place)
  }

  /** The index of an object that exists, or null. */
  find(resource: Resource, id: string): number | null {
    const index = found(this.#ids, resource).decode(id)
    if (index === null || index >= this.timeline(resource).count) return null
    return this.isRemoved(resource, index) ? null : index
  }

  /** The place of a line below its parent, or null for one of another parent, a removed one and an unknown one. */
  findLine(kind: Nested, parentIndex: number, id: string): number | null {
    const index = found(this.#ids, kind).decode(id)
    if (index === null || Math.floor(index / LINES_LIMIT) !== parentIndex) return null
    return this.isRemoved(kind, index) ? null : index % LINES_LIMIT
  }

  isRemoved(kind: Resource | Nested, index: number): boolean {
    return this.#removed.get(kind)?.has(index) ?? false
  }

  isLineRemoved(kind: Nested, parentIndex: number, place: number): boolean {
    return this.isRemoved(kind, parentIndex * LINES_LIMIT + place)
  }

  /** From now on the objects don't exist. Unknown ids are an error of the caller. */
  remove(kind: Resource | Nested, ids: readonly string[]): void {
    const removed = this.#removed.get(kind) ?? new Set<number>()
    this.#removed.set(kind, removed)
    for (const id of ids) {
      const index = found(this.#ids, kind).decode(id)
      if (index === null) throw new RangeError(`${id} is not an id of ${kind}`)
      removed.add(index)
    }
  }

  /** Adds objects an hour later, or in the second of the newest one. */
  append(resource: Resource, count: number, when: 'later' | 'same-second'): void {
    if (when === 'same-second') return this.timeline(resource).append(count, null, 0)
    this.#nowSeconds += 3600
    this.timeline(resource).append(count, this.#nowSeconds, count)
    this.#nowSeconds += count
  }

  /** Makes a customer as it was asked for, and returns its index. */
  makeCustomer(details: CustomerDetails): number {
    const index = this.timeline('customers').count
    this.append('customers', 1, 'later')
    this.#made.set(index, details)
    return index
  }

  madeCustomer(index: number): CustomerDetails | undefined {
    return this.#made.get(index)
  }

  /** 32 bits that belong to the object and the use (`salt`) alone. */
  draw(kind: Resource | Nested, index: number, salt: number): number {
    return mix(mix(index, found(this.#keys, kind)), salt)
  }

  /**
   * JSON of the id of some object of the start, the same one for the same `drawn`: null where there is none of that kind.
   */
  reference(resource: Resource, drawn: number): string {
    const index = this.referenceIndex(resource, drawn)
    return index === null ? 'null' : `"${this.idOf(resource, index)}"`
  }

  referenceIndex(resource: Resource, drawn: number): number | null {
    const count = this.#options.counts[resource]
    return count === 0 ? null : drawn % count
  }
}

function found<Key, Value>(map: ReadonlyMap<Key, Value>, key: Key): Value {
  const value = map.get(key)
  if (value === undefined) throw new RangeError(`there is nothing about ${String(key)}`)
  return value
}
