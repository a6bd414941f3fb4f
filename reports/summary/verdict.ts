import { formatBytes, formatDuration, formatRatio } from '../format.ts'
import type { PairedRatio } from '../statistics/paired-ratio.ts'
import { type ArmSummary, medianOf } from './arms.ts'
import {
  advantageOf,
  atLeastOne,
  certainty,
  compareArms,
  describeAdvantage,
  inverse,
  isDecided,
  relation,
} from './comparison.ts'

/** Today's practice, which the others are held against. */
export const BASELINE = 'delta/merge-loop'
/** One merge of the whole batch at the engine's defaults, which the others' memory is held against. */
const MEMORY_BASELINE = 'delta/merge'
const ADDED_BYTES = 'apply.memory.addedBytes'

export interface Verdict {
  /** Null: nobody wins, or the repetitions don't settle who. */
  readonly winner: string | null
  /** Who wins, by how much, and how sure that is. */
  readonly headline: string
  readonly details: readonly string[]
}

/** The arms that are ranked, the best first, and by which metric. */
interface Ranking {
  readonly metric: string
  readonly arms: readonly ArmSummary[]
}

/** @param arms ranked by the metric, as `rankArms` gives them */
export function judge(arms: readonly ArmSummary[], metric: string | null): Verdict {
  const failures = arms.filter((arm) => !arm.sound).map((arm) => `${arm.arm}: ${arm.outcome}.`)
  if (metric === null && arms.some((arm) => arm.sound))
    return nobody('There is no winner: the scenario has no figure that ranks arms.', failures)
  const ranked = arms.filter((arm) => arm.sound && metric !== null && arm.figures.has(metric))
  const [leader, runnerUp] = ranked
  if (leader === undefined || metric === null)
    return nobody('There is no winner: no arm passed all of its repetitions.', failures)
  if (runnerUp === undefined) {
    const headline = `${leader.arm} stands alone: no other arm passed all of its repetitions.`
    return { winner: leader.arm, headline, details: [...describeReads(leader), ...failures] }
  }
  const ranking = { metric, arms: ranked }
  const lead = advantageOf(leader, runnerUp, metric)
  const won = lead !== null && isDecided(lead)
  const formatWin = won ? null : describeFormatWin(leader, runnerUp, ranking)
  return {
    winner: won ? leader.arm : null,
    headline: won
      ? describeWin(leader, runnerUp, ranking)
      : (formatWin ?? describeTie(leader, runnerUp, lead, metric)),
    details: [
      ...(won ? describeNext(leader, runnerUp, lead, ranking) : describeAgainstBaseline(leader, ranking)),
      ...(formatWin === null ? describeOtherFormat(leader, runnerUp, ranking) : []),
      ...describeThriftiest(leader, ranking),
      ...describeReads(leader),
      ...failures,
    ],
  }
}

function nobody(headline: string, details: readonly string[]): Verdict {
  return { winner: null, headline, details }
}

function describeWin(leader: ArmSummary, runnerUp: ArmSummary, ranking: Ranking): string {
  const { metric } = ranking
  const reference = baselineOf(leader, ranking) ?? runnerUp
  const lead = advantageOf(leader, reference, metric)
  const win =
    lead === null
      ? `${leader.arm} is the best`
      : `${leader.arm} is ${describeAdvantage(lead, leader, metric)} than ${reference.arm} (${certainty(lead)})`
  return `${win}${describeMemory(leader, ranking)}.`
}

/**
 * Delta or DuckLake is the question, so it is answered where two arms of one format are ahead and only which of the two is
 * better is open. Null where that isn't so.
 */
function describeFormatWin(
  leader: ArmSummary,
  runnerUp: ArmSummary,
  { arms, metric }: Ranking,
): string | null {
  const { arm: name, format } = leader
  const rival = arms.find((other) => other.format !== format)
  if (rival === undefined || runnerUp.format !== format) return null
  const gap = advantageOf(leader, rival, metric)
  if (gap === null || gap.n === 1 || !isDecided(gap)) return null
  const than = `than ${rival.arm}, the best ${rival.format} arm (${certainty(gap)})`
  const win = `${name} is ${describeAdvantage(gap, leader, metric)} ${than}`
  return `The ${format} arms are ahead: ${win}; ${runnerUp.arm} is close to it.`
}

function describeTie(
  leader: ArmSummary,
  runnerUp: ArmSummary,
  lead: PairedRatio | null,
  metric: string,
): string {
  const names = `${leader.arm} and ${runnerUp.arm}`
  if (lead === null)
    return `There is no clear winner: ${names} share no repetition that a ratio can be made of.`
  if (lead.n === 1) {
    return `${leader.arm} was ${describeAdvantage(lead, leader, metric)} than ${runnerUp.arm} in one repetition, which settles nothing.`
  }
  return `There is no clear winner: ${names} are within ${formatRatio(atLeastOne(lead).ratio)} (${certainty(lead)}).`
}

function baselineOf(leader: ArmSummary, { arms }: Ranking): ArmSummary | undefined {
  return arms.find((other) => other.arm === BASELINE && other !== leader)
}

/** The second half of the headline; empty where there is nothing to hold the memory against. */
function describeMemory(leader: ArmSummary, { arms }: Ranking): string {
  const reference = arms.find((other) => other.arm === MEMORY_BASELINE && other !== leader)
  const ratio = reference === undefined ? null : compareArms(reference, leader, ADDED_BYTES)
  if (reference === undefined || ratio === null) return ''
  if (!isDecided(ratio)) return `, and adds about as much memory as ${reference.arm}`
  const joint = ratio.ratio >= 1 ? ' and adds' : ', but adds'
  return `${joint} ${relation(ratio, 'less', 'more')} memory than ${reference.arm}`
}

function describeNext(
  leader: ArmSummary,
  runnerUp: ArmSummary,
  lead: PairedRatio,
  ranking: Ranking,
): readonly string[] {
  if ((baselineOf(leader, ranking) ?? runnerUp) === runnerUp) return []
  return [`Next comes ${runnerUp.arm}, ${describeBehind(lead, leader, ranking.metric)}.`]
}

function describeAgainstBaseline(leader: ArmSummary, ranking: Ranking): readonly string[] {
  const baseline = baselineOf(leader, ranking)
  const lead = baseline === undefined ? null : advantageOf(leader, baseline, ranking.metric)
  if (baseline === undefined || lead === null) return []
  const than = `${describeAdvantage(lead, leader, ranking.metric)} than ${baseline.arm} (${certainty(lead)})`
  return [`${leader.arm} is ${than}${describeMemory(leader, ranking)}.`]
}

/** Delta or DuckLake is the question, so the best of the other format is named even when it isn't the next. */
function describeOtherFormat(leader: ArmSummary, runnerUp: ArmSummary, ranking: Ranking): readonly string[] {
  const rival = ranking.arms.find((other) => other.format !== leader.format)
  if (rival === undefined || rival === runnerUp || rival === baselineOf(leader, ranking)) return []
  const lead = advantageOf(leader, rival, ranking.metric)
  if (lead === null) return []
  return [`The best ${rival.format} arm is ${rival.arm}, ${describeBehind(lead, leader, ranking.metric)}.`]
}

/** The lead of the winner from the side of the one behind: `1.5× slower (all 5 repetitions agree, 1.4–1.6×)`. */
function describeBehind(lead: PairedRatio, leader: ArmSummary, metric: string): string {
  const words = describeAdvantage(inverse(lead), leader, metric)
  return `${words} (${certainty(lead)})`
}

function describeThriftiest(leader: ArmSummary, { arms }: Ranking): readonly string[] {
  const added = arms.flatMap((arm) => {
    const bytes = medianOf(arm, ADDED_BYTES)
    return bytes === null ? [] : [{ arm, bytes }]
  })
  const [least] = added.toSorted((a, b) => a.bytes - b.bytes)
  const ours = added.find(({ arm }) => arm === leader)
  if (least === undefined || ours === undefined) return []
  const sentence = `${least.arm.arm} adds the least memory, ${formatBytes(least.bytes)}`
  return [least === ours ? `${sentence}.` : `${sentence}; ${leader.arm} adds ${formatBytes(ours.bytes)}.`]
}

/** A merge-on-read commit is cheap to write and dear to read, so the winner's reads belong beside its win. */
function describeReads(arm: ArmSummary): readonly string[] {
  const [before, after, maintained, maintainMs] = [
    'read-before.wallMs',
    'read-after.wallMs',
    'read-after-maintenance.wallMs',
    'maintain.wallMs',
  ].map((metric) => medianOf(arm, metric))
  if (!before || typeof after !== 'number') return []
  const cost = typeof maintainMs === 'number' ? `, which takes ${formatDuration(maintainMs)}` : ''
  const restored =
    typeof maintained === 'number' ? `, and ${formatRatio(maintained / before)} after maintenance${cost}` : ''
  return [
    `A read of ${arm.arm} takes ${formatRatio(after / before)} as long after the merge as before${restored}.`,
  ]
}
