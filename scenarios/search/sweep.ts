import { median } from '../../reports/statistics/quantile.ts'

/** A setting by its name, `deltalite.maxParallelFiles` for one within a record, and the values that are worth a try. */
export interface Tunable {
  readonly name: string
  readonly values: readonly number[]
}

/** What is set apart from the defaults, by name. */
export type Overrides = Readonly<Record<string, number>>

/** What one try took; null where it failed. */
export type Tried = { readonly wallMs: number; readonly peakBytes: number } | null

export interface SweepOptions {
  readonly tunables: readonly Tunable[]
  /** Tries of each candidate, interleaved with those of the others. */
  readonly rounds: number
  /** The share of its time that a candidate must save to be taken; what saves less is taken for noise. */
  readonly leastGain: number
}

/** One value of one setting beside what was best before it. */
export interface Compared {
  readonly setting: string
  readonly value: number
  /** Median over the rounds of its time by that of what was best before; null where either of them failed. */
  readonly timeRatio: number | null
  readonly failed: boolean
}

export interface Sweep {
  readonly best: Overrides
  readonly compared: readonly Compared[]
}

/**
 * Finds settings one after another: the values of a setting are tried beside what was best so far, in turns (ABBA), and
 * one is taken when it is faster in every round and saves enough. What fails once is never taken; where the defaults
 * themselves fail, anything that passes is. Settings that only help together are not found.
 */
export async function sweep(
  attempt: (overrides: Overrides) => Promise<Tried>,
  { tunables, rounds, leastGain }: SweepOptions,
): Promise<Sweep> {
  const best: Record<string, number> = {}
  const compared: Compared[] = []
  for (const { name, values } of tunables) {
    const before = { ...best }
    const candidates = [before, ...values.map((value) => ({ ...before, [name]: value }))]
    const [triesBefore = [], ...others] = await tryInTurns(attempt, candidates, rounds)
    const found = values.map((value, index) => compare(name, value, triesBefore, others[index] ?? []))
    compared.push(
      ...found.map(({ value, timeRatio, failed }) => ({ setting: name, value, timeRatio, failed })),
    )
    const chosen = choose(found, isSafe(triesBefore), leastGain)
    if (chosen !== null) best[name] = chosen.value
  }
  return { best, compared }
}

/** The tries of each candidate, by round. */
async function tryInTurns(
  attempt: (overrides: Overrides) => Promise<Tried>,
  candidates: readonly Overrides[],
  rounds: number,
): Promise<readonly (readonly Tried[])[]> {
  const tries: Tried[][] = candidates.map(() => [])
  const order = candidates.map((_, index) => index)
  for (let round = 0; round < rounds; round += 1) {
    for (const index of round % 2 === 0 ? order : order.toReversed())
      tries[index]?.push(await attempt(candidates[index] ?? {}))
  }
  return tries
}

interface Found extends Compared {
  readonly ratios: readonly number[]
  readonly medianMs: number
}

function compare(setting: string, value: number, before: readonly Tried[], tries: readonly Tried[]): Found {
  const ratios = tries.flatMap((tried, round) => {
    const other = before[round] ?? null
    return tried === null || other === null ? [] : [tried.wallMs / other.wallMs]
  })
  const failed = !isSafe(tries)
  const timeRatio = !failed && isSafe(before) ? median(ratios) : null
  const medianMs = failed
    ? Number.POSITIVE_INFINITY
    : median(tries.map((tried) => tried?.wallMs ?? Number.POSITIVE_INFINITY))
  return { setting, value, failed, ratios, timeRatio, medianMs }
}

function choose(found: readonly Found[], isBeforeSafe: boolean, leastGain: number): Found | null {
  const better = found.filter(({ failed, ratios, timeRatio }) => {
    if (failed) return false
    if (!isBeforeSafe) return true
    return timeRatio !== null && timeRatio <= 1 - leastGain && ratios.every((ratio) => ratio < 1)
  })
  return better.toSorted((a, b) => a.medianMs - b.medianMs)[0] ?? null
}

function isSafe(tries: readonly Tried[]): boolean {
  return tries.every((tried) => tried !== null)
}
