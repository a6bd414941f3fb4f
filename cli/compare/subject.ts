import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { execa } from 'execa'
import { LakeduelError } from '../../platform/errors.ts'
import { interruptSignal } from '../../platform/interrupt.ts'
import type { Results } from '../../reports/schema.ts'
import { saying, TURNS_WANTED, WAITS, type Wait } from '../bench/turns.ts'
import { readResults } from '../results/read.ts'

export const SIDES = ['baseline', 'candidate'] as const
export type Side = (typeof SIDES)[number]

/** Where a command writes its results. */
const OUT = '{out}'

/**
 * A command that measures something, round after round. A bench of ours takes turns: it stays between its rounds, with its tables
 * made, and waits before and after each thing that it measures. Any other command ends after a round and is started again.
 */
export class Subject implements AsyncDisposable {
  readonly #side: Side
  readonly #command: string
  readonly #folder: string
  #started = 0
  #running: Running | null = null
  #at: Wait | 'ended' = 'ended'

  /** @param folder for the results of its rounds */
  constructor(side: Side, command: string, folder: string) {
    this.#side = side
    this.#command = command
    this.#folder = folder
  }

  /** Whether it is known to wait for its turn. Of anything else nothing is known until its round is over. */
  get takesTurns(): boolean {
    return this.#at !== 'ended'
  }

  /** Where it waits; `ended` before its first round, and after each of a command that doesn't stay. */
  get at(): Wait | 'ended' {
    return this.#at
  }

  /**
   * Lets it go on until it waits again, or has ended its round.
   * @throws LakeduelError `USAGE` when the command fails
   */
  async goOn(): Promise<void> {
    const waiting = this.#at === 'ended' ? null : this.#running
    const running = waiting ?? this.#start()
    waiting?.tell()
    this.#running = running
    const next = await running.next()
    interruptSignal().throwIfAborted()
    this.#at = typeof next === 'string' ? next : 'ended'
    // A bench ends with 1 where a cell failed or is wrong: a result, as long as it wrote one.
    if (typeof next === 'string' || next.exitCode === 0 || next.exitCode === 1) return
    const { exitCode, stderr } = next
    throw new LakeduelError(
      'USAGE',
      `The command of the ${this.#side} ended with ${exitCode}: ${stderr.slice(-500)}`,
      {
        facts: { command: running.command, exitCode },
        remedy: `Try it by itself: ${running.command}`,
      },
    )
  }

  /**
   * What was measured since this was asked for before.
   * @throws LakeduelError `RESULTS_CORRUPT` when there are no results
   */
  async newResults(): Promise<Results> {
    if (this.#running === null) throw new Error(`The ${this.#side} has measured nothing yet.`)
    return await this.#running.newResults()
  }

  /** Lets it clean up after itself. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#running?.end()
  }

  #start(): Running {
    const out = join(this.#folder, `${this.#side}-${this.#started}`)
    this.#started += 1
    return new Running(this.#command.replaceAll(OUT, `'${out}'`), out)
  }
}

/** One process of a command. */
class Running {
  readonly command: string
  readonly #out: string
  readonly #process
  readonly #lines: AsyncIterator<string>
  #repetitions = 0

  constructor(command: string, out: string) {
    this.command = command
    this.#out = out
    this.#process = execa(command, {
      shell: true,
      env: TURNS_WANTED,
      reject: false,
      cancelSignal: interruptSignal(),
    })
    // That it has ended is seen when its output is read.
    this.#process.stdin.on('error', () => undefined)
    this.#lines = createInterface({ input: this.#process.stdout })[Symbol.asyncIterator]()
  }

  tell(): void {
    this.#process.stdin.write('\n')
  }

  /** Where it waits, or how it ended. */
  async next() {
    for (;;) {
      const { done, value } = await this.#lines.next()
      if (done === true) return await this.#process
      const wait = WAITS.find((event) => value === saying(event))
      if (wait !== undefined) return wait
    }
  }

  async newResults(): Promise<Results> {
    const results = await readResults(this.#out)
    const first = this.#repetitions
    const cells = results.cells.filter(({ repetition }) => repetition >= first)
    this.#repetitions = Math.max(first, ...cells.map(({ repetition }) => repetition + 1))
    return { ...results, cells: cells.map((cell) => ({ ...cell, repetition: cell.repetition - first })) }
  }

  async end(): Promise<void> {
    this.#process.stdin.end()
    await this.#process
  }
}

/** @throws LakeduelError `USAGE` for a command that doesn't say where its results go */
export function assertOut(side: Side, command: string): void {
  if (command.includes(OUT)) return
  throw new LakeduelError('USAGE', `The command of the ${side} doesn't say where its results go.`, {
    facts: { command },
    remedy: `Write ${OUT} for the folder, as in: lakeduel bench --profile smoke --repeat 1 --out ${OUT}`,
  })
}
