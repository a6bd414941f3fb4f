import { formatBytes, formatDuration, formatRatio } from '../format.ts'
import type { PairedRatio } from '../statistics/paired-ratio.ts'
import type { ArmFigures, ArmSummary } from './arms.ts'
import {
  addedBytes,
  applyWallMs,
  atLeastOne,
  certainty,
  compareArms,
  isDecided,
  relation,
} from './comparison.ts'

/** Today's practice, which the others are timed against. */
export const TIME_BASELINE = 'delta/merge-loop'
/** One merge of the whole batch at the engine's defaults, which the others' memory is held against. */
const MEMORY_BASELINE = 'delta/merge'

export interface Verdict {
  /** Who wins, by how much, and how sure that is. */
  readonly headline: string
  readonly details: readonly string[]
}

interface Ranked {
  readonly arm: ArmSummary
  readonly figures: ArmFigures
}

/** @param arms ranked, as `summarizeArms` gives them */
export function judge(arms: readonly ArmSummary[]): Verdict {
  const ranked = arms.flatMap((arm) => (arm.sound && arm.figures ? [{ arm, figures: arm.figures }] : []))
  const failures = arms.filter((arm) => !arm.sound).map((arm) => `${arm.arm}: ${arm.outcome}.`)
  const [leader, runnerUp] = ranked
  if (leader === undefined) {
    return { headline: 'There is no winner: no arm passed all of its repetitions.', details: failures }
  }
  if (runnerUp === undefined) {
    const headline = `${leader.arm.arm} stands alone: no other arm passed all of its repetitions.`
    return { headline, details: [...describeReads(leader), ...failures] }
  }
  const lead = compareArms(runnerUp.arm, leader.arm, applyWallMs)
  const decided = lead !== null && isDecided(lead)
  const formatWin = describeFormatWin(leader, runnerUp, ranked)
  return {
    headline: decided
      ? describeWin(leader, runnerUp, ranked)
      : (formatWin ?? describeTie(leader, runnerUp, lead)),
    details: [
      ...(decided ? describeNext(leader, runnerUp, lead, ranked) : describeAgainstBaseline(leader, ranked)),
      ...(formatWin === null || decided ? describeOtherFormat(leader, runnerUp, ranked) : []),
      ...describeThriftiest(leader, ranked),
      ...describeReads(leader),
      ...failures,
    ],
  }
}

function describeWin(leader: Ranked, runnerUp: Ranked, ranked: readonly Ranked[]): string {
  const reference = timeReference(leader, ranked) ?? runnerUp
  const speed = compareArms(reference.arm, leader.arm, applyWallMs)
  const memory = describeMemory(leader, ranked)
  const win =
    speed === null
      ? `${leader.arm.arm} is the fastest`
      : `${leader.arm.arm} is ${relation(speed, 'faster', 'slower')} than ${reference.arm.arm} (${certainty(speed)})`
  return `${win}${memory}.`
}

/**
 * Delta or DuckLake is the question, so it is answered where two arms of one format are ahead and only which of the two is
 * faster is open. Null where that isn't so.
 */
function describeFormatWin(leader: Ranked, runnerUp: Ranked, ranked: readonly Ranked[]): string | null {
  const { arm: name, format } = leader.arm
  const rival = ranked.find((other) => other.arm.format !== format)
  if (rival === undefined || runnerUp.arm.format !== format) return null
  const gap = compareArms(rival.arm, leader.arm, applyWallMs)
  if (gap === null || gap.n === 1 || !isDecided(gap)) return null
  const than = `than ${rival.arm.arm}, the best ${rival.arm.format} arm (${certainty(gap)})`
  return `The ${format} arms are ahead: ${name} is ${relation(gap, 'faster', 'slower')} ${than}; ${runnerUp.arm.arm} is close to it.`
}

function describeTie(leader: Ranked, runnerUp: Ranked, lead: PairedRatio | null): string {
  const names = `${leader.arm.arm} and ${runnerUp.arm.arm}`
  if (lead === null) return `There is no clear winner: ${names} share no repetition.`
  if (lead.n === 1) {
    return `${leader.arm.arm} was ${relation(lead, 'faster', 'slower')} than ${runnerUp.arm.arm} in one repetition, which settles nothing.`
  }
  return `There is no clear winner: ${names} are within ${formatRatio(atLeastOne(lead).ratio)} (${certainty(lead)}).`
}

function timeReference(leader: Ranked, ranked: readonly Ranked[]): Ranked | undefined {
  return ranked.find((other) => other.arm.arm === TIME_BASELINE && other !== leader)
}

/** The second half of the headline; empty where there is nothing to hold the memory against. */
function describeMemory(leader: Ranked, ranked: readonly Ranked[]): string {
  const reference = ranked.find((other) => other.arm.arm === MEMORY_BASELINE && other !== leader)
  const ratio = reference === undefined ? null : compareArms(reference.arm, leader.arm, addedBytes)
  if (reference === undefined || ratio === null) return ''
  if (!isDecided(ratio)) return `, and adds about as much memory as ${reference.arm.arm}`
  const joint = ratio.ratio >= 1 ? ' and adds' : ', but adds'
  return `${joint} ${relation(ratio, 'less', 'more')} memory than ${reference.arm.arm}`
}

function describeNext(
  leader: Ranked,
  runnerUp: Ranked,
  lead: PairedRatio,
  ranked: readonly Ranked[],
): readonly string[] {
  if ((timeReference(leader, ranked) ?? runnerUp) === runnerUp) return []
  return [`Next comes ${runnerUp.arm.arm}, ${relation(lead, 'slower', 'faster')} (${certainty(lead)}).`]
}

function describeAgainstBaseline(leader: Ranked, ranked: readonly Ranked[]): readonly string[] {
  const baseline = timeReference(leader, ranked)
  const speed = baseline === undefined ? null : compareArms(baseline.arm, leader.arm, applyWallMs)
  if (baseline === undefined || speed === null) return []
  const than = `${relation(speed, 'faster', 'slower')} than ${baseline.arm.arm} (${certainty(speed)})`
  return [`${leader.arm.arm} is ${than}${describeMemory(leader, ranked)}.`]
}

/** Delta or DuckLake is the question, so the best of the other format is named even when it isn't the next. */
function describeOtherFormat(leader: Ranked, runnerUp: Ranked, ranked: readonly Ranked[]): readonly string[] {
  const rival = ranked.find((other) => other.arm.format !== leader.arm.format)
  if (rival === undefined || rival === runnerUp || rival === timeReference(leader, ranked)) return []
  const ratio = compareArms(rival.arm, leader.arm, applyWallMs)
  if (ratio === null) return []
  return [
    `The best ${rival.arm.format} arm is ${rival.arm.arm}, ${relation(ratio, 'slower', 'faster')} (${certainty(ratio)}).`,
  ]
}

function describeThriftiest(leader: Ranked, ranked: readonly Ranked[]): readonly string[] {
  const thriftiest = ranked.reduce((least, other) =>
    other.figures.addedBytes < least.figures.addedBytes ? other : least,
  )
  const least = `${thriftiest.arm.arm} adds the least memory, ${formatBytes(thriftiest.figures.addedBytes)}`
  if (thriftiest === leader) return [`${least}.`]
  return [`${least}; ${leader.arm.arm} adds ${formatBytes(leader.figures.addedBytes)}.`]
}

/** A merge-on-read commit is cheap to write and dear to read, so the winner's reads belong beside its win. */
function describeReads({ arm, figures }: Ranked): readonly string[] {
  const { readBeforeMs: before, readAfterMs: after, readAfterMaintenanceMs: maintained, maintainMs } = figures
  if (before === null || after === null || before === 0) return []
  const cost = maintainMs === null ? '' : `, which takes ${formatDuration(maintainMs)}`
  const restored =
    maintained === null ? '' : `, and ${formatRatio(maintained / before)} after maintenance${cost}`
  return [
    `A read of ${arm.arm} takes ${formatRatio(after / before)} as long after the merge as before${restored}.`,
  ]
}
