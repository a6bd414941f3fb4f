import { createInterface } from 'node:readline'
import { LakeduelError } from '../../platform/errors.ts'

/**
 * Set to 1, a bench takes turns. Without our prefix, as a version that doesn't know it refuses variables that have it, and is to be
 * compared all the same: it measures once, without waiting, and ends.
 */
const VARIABLE = 'BENCH_TURNS'

/** The variables by which a bench takes turns. */
export const TURNS_WANTED: Readonly<Record<string, string>> = { [VARIABLE]: '1' }

/** Where a bench waits: before it measures, after it has, and when it has measured all of its cells. */
export const WAITS = ['turn', 'measured', 'round'] as const
export type Wait = (typeof WAITS)[number]

/** What a bench says on a line of stdout when it waits. */
export function saying(event: Wait): string {
  return JSON.stringify({ event })
}

type Aside = (wait: () => Promise<boolean>) => Promise<boolean>

/**
 * How a bench takes turns with another one, as `lakeduel compare` wants it: it says where it waits on stdout, and goes on with each
 * line on stdin. So the two do nothing while the other measures, what they measure is a moment apart, and staging and making tables,
 * which takes longer than a small cell, is done once for all rounds.
 */
export class Turns {
  readonly #lines: AsyncIterator<string>
  readonly #signal: AbortSignal
  readonly #aside: Aside
  #taken = false

  /** @param aside what is done around each wait */
  constructor(signal: AbortSignal, aside: Aside) {
    this.#signal = signal
    this.#aside = aside
    this.#lines = createInterface({ input: process.stdin, signal })[Symbol.asyncIterator]()
  }

  static areWanted(): boolean {
    return process.env[VARIABLE] === '1'
  }

  /** Whether all cells are wanted once more, which the end of stdin denies. Rejects when the run is interrupted meanwhile. */
  another(): Promise<boolean> {
    return this.#wait('round')
  }

  /** Does what is measured when it is its turn. What is measured within it is a part of it. */
  async take<Result>(work: () => Promise<Result>): Promise<Result> {
    if (this.#taken) return await work()
    if (!(await this.#wait('turn')))
      throw new LakeduelError('INTERRUPTED', 'Whoever gave the turns has ended.', {})
    this.#taken = true
    try {
      return await work()
    } finally {
      this.#taken = false
      await this.#wait('measured')
    }
  }

  #wait(event: Wait): Promise<boolean> {
    return this.#aside(async () => {
      process.stdout.write(`${saying(event)}\n`)
      const { done } = await this.#lines.next()
      this.#signal.throwIfAborted()
      return done !== true
    })
  }
}
