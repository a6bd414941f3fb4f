import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execa } from 'execa'
import { LakeduelError } from '../../platform/errors.ts'
import { interruptSignal } from '../../platform/interrupt.ts'
import { mergeRounds } from '../../reports/compare/rounds.ts'
import { LOOKS, levelsOf, stepAfter } from '../../reports/compare/sequential.ts'
import { type CompareOptions, type Comparison, compareResults } from '../../reports/compare.ts'
import type { Results } from '../../reports/schema.ts'
import { readResults } from '../results/read.ts'

/** Where a command writes its results. */
const OUT = '{out}'
const SIDES = ['baseline', 'candidate'] as const
type Side = (typeof SIDES)[number]

export interface LiveOptions {
  readonly commands: Readonly<Record<Side, string>>
  readonly maxMinutes: number
  readonly compare: CompareOptions
  /** Fails when the first pair can't be compared, before hours are spent on it. */
  readonly check: (comparison: Comparison) => void
}

/** The verdict with all that was measured; `confirmation` is null where there was no alarm, or no time to confirm it. */
export interface LiveComparison {
  readonly comparison: Comparison
  readonly confirmation: Comparison | null
  readonly verdict: Comparison['verdict']
  readonly pairs: number
  readonly note: string
}

/**
 * Runs two commands by turns (ABBA), each time as fresh processes, until the figures settle it or the time is over. An alarm
 * counts only when as many fresh pairs, judged alone and on nothing but what was alarming, raise it again.
 */
export async function compareLive(options: LiveOptions): Promise<LiveComparison> {
  for (const side of SIDES) assertOut(side, options.commands[side])
  const folder = await mkdtemp(join(tmpdir(), 'lakeduel-compare-'))
  try {
    return await settle(new Pairs(options, folder), options)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

async function settle(pairs: Pairs, { compare, check }: LiveOptions): Promise<LiveComparison> {
  for (const [look, wanted] of LOOKS.entries()) {
    const inTime = await pairs.upTo(wanted, check)
    const comparison = pairs.compared(0, { ...compare, ...levelsOf(look) })
    const step = stepAfter(comparison)
    tell(
      `${pairs.count} pairs: ${comparison.verdict}${step === 'confirm' ? ', to be confirmed on fresh pairs' : ''}`,
    )
    if (step === 'confirm') return await confirm(pairs, comparison, compare)
    if (step === 'stop' || !inTime)
      return { ...settled(pairs, comparison), note: inTime ? 'settled' : 'the time was over' }
  }
  return {
    ...settled(pairs, pairs.compared(0, { ...compare, ...levelsOf(LOOKS.length) })),
    note: 'not settled',
  }
}

function settled(pairs: Pairs, comparison: Comparison): Omit<LiveComparison, 'note'> {
  return { comparison, confirmation: null, verdict: comparison.verdict, pairs: pairs.count }
}

async function confirm(pairs: Pairs, alarm: Comparison, compare: CompareOptions): Promise<LiveComparison> {
  const discovered = pairs.count
  const worse = alarm.judgements.filter(({ verdict }) => verdict === 'worse')
  const inTime = await pairs.upTo(2 * discovered, () => undefined)
  if (!inTime)
    return {
      ...settled(pairs, alarm),
      verdict: 'inconclusive',
      note: 'no time was left to confirm the alarm',
    }
  const confirmation = pairs.compared(discovered, {
    ...compare,
    judges: (judged) =>
      worse.some(
        ({ scenario, arm, metric }) =>
          scenario === judged.scenario && arm === judged.arm && metric === judged.metric,
      ),
  })
  const held = confirmation.verdict === 'regression' || confirmation.verdict === 'wrong-data'
  return {
    comparison: alarm,
    confirmation,
    verdict: held ? confirmation.verdict : 'inconclusive',
    pairs: pairs.count,
    note: held ? 'the alarm was confirmed on fresh pairs' : 'fresh pairs did not confirm the alarm',
  }
}

/** The pairs so far, and how to get more. */
class Pairs {
  readonly #options: LiveOptions
  readonly #folder: string
  readonly #deadline: number
  readonly #rounds: Readonly<Record<Side, Results[]>> = { baseline: [], candidate: [] }

  constructor(options: LiveOptions, folder: string) {
    this.#options = options
    this.#folder = folder
    this.#deadline = Date.now() + options.maxMinutes * 60_000
  }

  get count(): number {
    return this.#rounds.candidate.length
  }

  /** @returns false when the time was over before; the first pair is measured whatever it takes */
  async upTo(wanted: number, check: LiveOptions['check']): Promise<boolean> {
    while (this.count < wanted) {
      if (this.count > 0 && Date.now() >= this.#deadline) return false
      const order = this.count % 2 === 0 ? SIDES : SIDES.toReversed()
      const round = this.count
      for (const side of order) {
        tell(`pair ${round + 1} of ${wanted}: ${side}`)
        this.#rounds[side].push(await this.#measure(side, round))
      }
      if (round === 0) check(this.compared(0, this.#options.compare))
    }
    return true
  }

  compared(from: number, compare: CompareOptions): Comparison {
    const { baseline, candidate } = this.#rounds
    return compareResults(mergeRounds(baseline.slice(from)), mergeRounds(candidate.slice(from)), compare)
  }

  /** A bench ends with 1 where a cell failed or is wrong: a result, as long as it wrote one. */
  async #measure(side: Side, round: number): Promise<Results> {
    const out = join(this.#folder, `${side}-${round}`)
    const command = this.#options.commands[side].replaceAll(OUT, `'${out}'`)
    const { exitCode, stderr } = await execa(command, {
      shell: true,
      stdin: 'ignore',
      reject: false,
      cancelSignal: interruptSignal(),
    })
    interruptSignal().throwIfAborted()
    if (exitCode === 0 || exitCode === 1) return await readResults(out)
    throw new LakeduelError(
      'USAGE',
      `The command of the ${side} ended with ${exitCode}: ${stderr.slice(-500)}`,
      {
        facts: { command, exitCode },
        remedy: `Try it by itself: ${command}`,
      },
    )
  }
}

function assertOut(side: Side, command: string): void {
  if (command.includes(OUT)) return
  throw new LakeduelError('USAGE', `The command of the ${side} doesn't say where its results go.`, {
    facts: { command },
    remedy: `Write ${OUT} for the folder, as in: lakeduel bench --profile smoke --repeat 1 --out ${OUT}`,
  })
}

function tell(text: string): void {
  process.stderr.write(`${text}\n`)
}
