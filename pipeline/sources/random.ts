/** Seeded pseudo-random numbers: what a seed makes is defined by this arithmetic and by no library's version. */
export class Random {
  #state: number

  /** @param parts what the numbers are of: seed, table, row, column … */
  constructor(...parts: readonly number[]) {
    this.#state = parts.reduce(
      (state, part) => mix(state ^ mix(part % 2 ** 32) ^ mix(part / 2 ** 32)),
      0x9e3779b9,
    )
  }

  /** 32 bits. */
  next(): number {
    this.#state = (this.#state + 0x9e3779b9) >>> 0
    return mix(this.#state)
  }

  /** From 0 to `bound` - 1. */
  below(bound: number): number {
    return this.next() % bound
  }

  /** From 0, to 1 exclusive. */
  share(): number {
    return this.next() / 2 ** 32
  }

  oneOf<T>(items: readonly [T, ...T[]]): T {
    return items[this.below(items.length)] ?? items[0]
  }
}

/** A number for a name, so that tables of one seed differ. */
export function hashOfText(text: string): number {
  let hash = 0x811c9dc5
  for (const byte of Buffer.from(text)) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0
  return hash
}

/** The finalizer of MurmurHash3 (Appleby, public domain). */
function mix(value: number): number {
  let hash = value >>> 0
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b) >>> 0
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35) >>> 0
  return (hash ^ (hash >>> 16)) >>> 0
}
