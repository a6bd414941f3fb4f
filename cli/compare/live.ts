import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { mergeRounds } from '../../reports/compare/rounds.ts'
import { judgeOnce, type PairSource, type Settled, settle } from '../../reports/compare/sequential.ts'
import { type CompareOptions, type Comparison, compareResults } from '../../reports/compare.ts'
import type { Results } from '../../reports/schema.ts'
import { writeWhole } from '../results/write.ts'
import { assertOut, SIDES, type Side, Subject } from './subject.ts'

export interface LiveOptions {
  readonly commands: Readonly<Record<Side, string>>
  readonly maxMinutes: number
  /** How many pairs are judged, once; null: as many as it takes. */
  readonly pairs: number | null
  /** Where what was measured is kept, as `baseline.json` and `candidate.json`; null: nowhere. */
  readonly out: string | null
  readonly compare: CompareOptions
  /** Fails when the first pair can't be compared, before hours are spent on it. */
  readonly check: (comparison: Comparison) => void
}

/** Lets two commands take turns (ABBA), until the figures settle it or the time is over. */
export async function compareLive(options: LiveOptions): Promise<Settled> {
  const { commands, compare, pairs: wanted, out } = options
  for (const side of SIDES) assertOut(side, commands[side])
  const folder = await mkdtemp(join(tmpdir(), 'lakeduel-compare-'))
  try {
    await using baseline = new Subject('baseline', commands.baseline, folder)
    await using candidate = new Subject('candidate', commands.candidate, folder)
    const pairs = new LivePairs(options, { baseline, candidate })
    try {
      return await (wanted === null ? settle(pairs, compare) : judgeOnce(pairs, wanted, compare))
    } finally {
      if (out !== null) await pairs.keep(out)
    }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** Pairs of rounds, measured when they are asked for. */
class LivePairs implements PairSource {
  readonly #options: LiveOptions
  readonly #subjects: Readonly<Record<Side, Subject>>
  readonly #deadline: number
  readonly #rounds: Readonly<Record<Side, Results[]>> = { baseline: [], candidate: [] }

  constructor(options: LiveOptions, subjects: Readonly<Record<Side, Subject>>) {
    this.#options = options
    this.#subjects = subjects
    this.#deadline = Date.now() + options.maxMinutes * 60_000
  }

  get count(): number {
    return this.#rounds.candidate.length
  }

  /** The first pair is measured whatever it takes. */
  async upTo(wanted: number): Promise<boolean> {
    while (this.count < wanted) {
      if (this.count > 0 && Date.now() >= this.#deadline) return false
      const round = this.count
      tell(`pair ${round + 1} of ${wanted}`)
      const { baseline, candidate } = this.#subjects
      await measureRound(round % 2 === 0 ? [baseline, candidate] : [candidate, baseline])
      for (const side of SIDES) this.#rounds[side].push(await this.#subjects[side].newResults())
      if (round === 0) this.#options.check(this.compared(0, this.#options.compare))
    }
    return true
  }

  compared(from: number, compare: CompareOptions): Comparison {
    const { baseline, candidate } = this.#rounds
    return compareResults(mergeRounds(baseline.slice(from)), mergeRounds(candidate.slice(from)), compare)
  }

  /** Writes what each side has measured, as one run each. */
  async keep(folder: string): Promise<void> {
    if (this.count === 0) return
    await mkdir(folder, { recursive: true })
    for (const side of SIDES) {
      const results = mergeRounds(this.#rounds[side].slice(0, this.count))
      await writeWhole(join(folder, `${side}.json`), `${JSON.stringify(results, null, 2)}\n`)
    }
    tell(`What was measured is in ${folder}.`)
  }

  onLook({ verdict }: Comparison): void {
    const alarming = verdict === 'regression' ? ', to be confirmed on fresh pairs' : ''
    tell(`${this.count} pairs: ${verdict}${alarming}`)
  }
}

/** Both measure all that they do once, in turns where they can take them, else one after the other. */
async function measureRound(order: readonly Subject[]): Promise<void> {
  const [waiting, others] = [
    order.filter(({ takesTurns }) => takesTurns),
    order.filter(({ takesTurns }) => !takesTurns),
  ]
  for (const subject of others) await subject.goOn()
  await Promise.all(waiting.map((subject) => subject.goOn()))
  while (order.some(({ at }) => at === 'turn')) {
    for (const subject of order) if (subject.at === 'turn') await subject.goOn()
    await Promise.all(order.filter(({ at }) => at === 'measured').map((subject) => subject.goOn()))
  }
}

function tell(text: string): void {
  process.stderr.write(`${text}\n`)
}
