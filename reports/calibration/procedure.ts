import type { CellPair } from '../compare/pairs.ts'
import { type PairSource, settle } from '../compare/sequential.ts'
import type { CompareOptions, Comparison } from '../compare.ts'
import type { Results } from '../schema.ts'
import { median } from '../statistics/quantile.ts'
import { compareFiles, drawPairs, type RecordedPair } from './recorded-pairs.ts'
import { TRIALS, type Trial, type TrialOptions } from './trials.ts'

export interface ProcedureOptions extends TrialOptions {
  readonly maxMinutes: number
}

/** Whole comparisons by turns, with their looks and confirmations, until they end by themselves or the time is over. */
export interface Procedure {
  readonly maxMinutes: number
  /** What a recorded pair took, with all that is done around what is measured. */
  readonly secondsPerPair: number
  /** As many pairs as the time is enough for. */
  readonly mostPairs: number
  readonly rows: readonly ProcedureRow[]
}

/** How many comparisons ended how, of one effect. */
export interface ProcedureRow {
  readonly effect: string
  readonly trials: number
  /** An alarm that was confirmed, on the metric of the effect; of nothing at all, on any. */
  readonly found: number
  readonly passed: number
  readonly open: number
  /** The pairs that were needed, those of confirmations among them, by the comparisons that didn't stay open. */
  readonly medianPairs: number | null
}

/**
 * How whole comparisons by turns end, over pairs that are drawn from a run that measured one thing twice in each repetition, and as
 * many of them as the time was enough for in that run.
 */
export async function tryProcedure(
  results: Results,
  recorded: readonly RecordedPair[],
  options: ProcedureOptions,
): Promise<Procedure> {
  const secondsPerPair = secondsOf(recorded)
  const mostPairs = Math.floor((options.maxMinutes * 60) / secondsPerPair)
  const rows: ProcedureRow[] = []
  for (const trial of TRIALS) {
    rows.push(await tryTrial(trial, { results, recorded, mostPairs, ...options }))
    options.onRow?.(rows.length, TRIALS.length)
  }
  return { maxMinutes: options.maxMinutes, secondsPerPair, mostPairs, rows }
}

interface Setting extends ProcedureOptions {
  readonly results: Results
  readonly recorded: readonly RecordedPair[]
  readonly mostPairs: number
}

async function tryTrial(trial: Trial, setting: Setting): Promise<ProcedureRow> {
  const { results, recorded, mostPairs, trials, random, compare } = setting
  const [counts, pairs] = [{ found: 0, passed: 0, open: 0 }, [] as number[]]
  for (let index = 0; index < trials; index += 1) {
    const drawn = trial.files(drawPairs(recorded, mostPairs, random), random)
    const settled = await settle(new DrawnPairs(results, drawn), compare)
    const { verdict, confirmation, comparison } = settled
    if (verdict === 'pass') counts.passed += 1
    else if (verdict !== 'inconclusive' && trial.verdictIn(confirmation ?? comparison) === 'worse')
      counts.found += 1
    else counts.open += 1
    if (verdict !== 'inconclusive') pairs.push(settled.pairs)
  }
  return {
    effect: trial.name,
    trials,
    ...counts,
    medianPairs: pairs.length === 0 ? null : median(pairs),
  }
}

/** Pairs that are all drawn beforehand, and handed out as if they were measured. */
class DrawnPairs implements PairSource {
  readonly #results: Results
  readonly #pairs: readonly CellPair[]
  #count = 0

  constructor(results: Results, pairs: readonly CellPair[]) {
    this.#results = results
    this.#pairs = pairs
  }

  get count(): number {
    return this.#count
  }

  upTo(wanted: number): Promise<boolean> {
    this.#count = Math.min(wanted, this.#pairs.length)
    return Promise.resolve(this.#count === wanted)
  }

  compared(from: number, options: CompareOptions): Comparison {
    return compareFiles(this.#results, this.#pairs.slice(from, this.#count), options)
  }
}

/** From the beginning of one pair to that of the next, on average. */
function secondsOf(recorded: readonly RecordedPair[]): number {
  const starts = recorded.map(({ first, second }) =>
    Math.min(Date.parse(first.startedAt), Date.parse(second.startedAt)),
  )
  const spanMs = Math.max(...starts) - Math.min(...starts)
  return Math.max(0.001, spanMs / 1000 / Math.max(1, recorded.length - 1))
}
