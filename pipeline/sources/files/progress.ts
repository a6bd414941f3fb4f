import { z } from 'zod'
import { byAge, type DataFile, idOf } from './data-file.ts'

/** Files that are remembered one by one; with more, the oldest of them are remembered by their age alone. */
const MAX_RECENT = 2_000

/**
 * Which files were read: all up to an age, and of the younger ones those in a list. So a file that shows up late, though it is
 * older than others that were read, is not missed as long as it is not older than all that are listed.
 */
export const seenSchema = z.strictObject({
  /** Time in milliseconds and name of the last file of those that are remembered by age. */
  through: z.tuple([z.number(), z.string()]).nullable(),
  /** Ids of the files that were read since, oldest first. */
  recent: z.array(z.string()),
})
export type Seen = Readonly<z.infer<typeof seenSchema>>

export const NOTHING_SEEN: Seen = { through: null, recent: [] }

type Aged = Pick<DataFile, 'name' | 'modifiedAtMs'>

export class Progress {
  readonly #lookbackMs: number
  readonly #listing: readonly DataFile[]
  #through: Aged | null
  #recent: (Aged & { readonly id: string })[]

  constructor({ through, recent }: Seen, listing: readonly DataFile[], lookbackMs: number) {
    this.#lookbackMs = lookbackMs
    this.#listing = listing.toSorted(byAge)
    this.#through = through === null ? null : { modifiedAtMs: through[0], name: through[1] }
    const known = new Set(recent)
    // A file that is gone needs no memory; one that comes back has another version.
    this.#recent = this.#listing.map(named).filter(({ id }) => known.has(id))
  }

  /** The files that were not read, oldest first. */
  get unseen(): readonly DataFile[] {
    const recent = new Set(this.#recent.map(({ id }) => id))
    return this.#listing.filter((file) => !recent.has(idOf(file)) && !this.#isThrough(file))
  }

  get seen(): Seen {
    return {
      through: this.#through === null ? null : [this.#through.modifiedAtMs, this.#through.name],
      recent: this.#recent.map(({ id }) => id),
    }
  }

  /** Remembers that a file was read, and forgets what lies too far behind the newest. */
  done(file: DataFile): void {
    this.#recent = [...this.#recent, named(file)].toSorted(byAge)
    const newest = this.#recent.at(-1)?.modifiedAtMs ?? 0
    const kept = this.#recent.findIndex(({ modifiedAtMs }) => modifiedAtMs >= newest - this.#lookbackMs)
    const forgotten = this.#recent.splice(0, Math.max(kept, this.#recent.length - MAX_RECENT, 0))
    const last = forgotten.at(-1)
    if (last !== undefined && (this.#through === null || byAge(last, this.#through) > 0)) this.#through = last
  }

  #isThrough(file: DataFile): boolean {
    return this.#through !== null && byAge(file, this.#through) <= 0
  }
}

function named(file: DataFile): Aged & { readonly id: string } {
  return { name: file.name, modifiedAtMs: file.modifiedAtMs, id: idOf(file) }
}
