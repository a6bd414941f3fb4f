import { enumerate, formatPercent, plural } from '../format.ts'
import type { Cell, Results, Warning } from '../schema.ts'
import { CONFIDENCE, medianInterval, repetitionsFor } from '../statistics/median-interval.ts'
import { median } from '../statistics/quantile.ts'
import { type ArmSummary, measuredPhases } from './arms.ts'
import { applyWallMs } from './comparison.ts'

/** (max − min) / median of the apply times above which an arm is called noisy. */
const NOISY_SPREAD = 0.25
/** The first repetition is called slow above this multiple of the median of the others. */
const SLOW_FIRST = 1.3
/** What the orchestrator's own work may be of a timed section. */
const ORCHESTRATOR_SHARE = 0.02

interface ScenarioArms {
  readonly name: string
  readonly arms: readonly ArmSummary[]
}

/** Everything that makes the figures less sure than they look, each with what to try. */
export function collectWarnings(results: Results, scenarios: readonly ScenarioArms[]): readonly Warning[] {
  return [
    ...warnOfUnfinishedRun(results),
    ...warnOfFewRepetitions(scenarios),
    ...scenarios.flatMap(warnOfNoise),
    ...scenarios.flatMap(warnOfSlowFirst),
    ...warnOfUncappedMemory(results),
    ...warnOfStorage(results),
    ...warnOfOrchestrator(results.cells),
    ...warnOfUncountedRequests(results.cells),
    ...warnOfDirtyTree(results),
    ...results.warnings,
  ]
}

function warnOfUnfinishedRun({ run }: Results): readonly Warning[] {
  if (run.finishedAt !== null) return []
  const message = 'The run did not finish, so cells are missing.'
  return [{ message, remedy: 'Run the same command with --resume to measure the rest.' }]
}

function warnOfFewRepetitions(scenarios: readonly ScenarioArms[]): readonly Warning[] {
  const counts = scenarios.flatMap(({ arms }) =>
    arms.filter((arm) => arm.sound).map((arm) => arm.passed.length),
  )
  const fewest = Math.min(...counts)
  const needed = repetitionsFor()
  if (counts.length === 0 || fewest >= needed) return []
  const { coverage } = medianInterval(Array.from({ length: fewest }, () => 0))
  const confidence = formatPercent(CONFIDENCE)
  const message =
    fewest === 1
      ? 'One repetition says nothing about how sure a figure is.'
      : `${plural(fewest, 'repetition')} give no ${confidence} interval: the smallest to the largest value covers ${formatPercent(coverage)}.`
  const remedy = `Measure ${needed - fewest} more: --repeat ${needed} gives the first ${confidence} interval.`
  return [{ message, remedy }]
}

function warnOfNoise({ name, arms }: ScenarioArms): readonly Warning[] {
  const noisy = arms.flatMap(({ arm, passed }) => {
    const times = passed.map(applyWallMs).filter((wall) => wall !== null)
    if (times.length < 2) return []
    const spread = (Math.max(...times) - Math.min(...times)) / median(times)
    return spread > NOISY_SPREAD ? [`${arm} (${formatPercent(spread)})`] : []
  })
  if (noisy.length === 0) return []
  const message = `${name}: the repetitions of ${enumerate(noisy)} differ by more than ${formatPercent(NOISY_SPREAD)} of their median.`
  return [
    {
      message,
      remedy: 'Close other programs or raise --repeat; the paired ratios suffer less than the times.',
    },
  ]
}

function warnOfSlowFirst({ name, arms }: ScenarioArms): readonly Warning[] {
  const slow = arms.flatMap(({ arm, passed }) => {
    const others = passed.filter((cell) => cell.repetition > 0).map(applyWallMs)
    const first = passed.filter((cell) => cell.repetition === 0).map(applyWallMs)[0] ?? null
    const rest = others.filter((wall) => wall !== null)
    return first !== null && rest.length > 0 && first > SLOW_FIRST * median(rest) ? [arm] : []
  })
  if (slow.length === 0) return []
  const message = `${name}: the first repetition of ${enumerate(slow)} was more than ${SLOW_FIRST} times as slow as the others, as when caches are cold.`
  return [
    { message, remedy: 'The medians hold from three repetitions on; raise --repeat when there are fewer.' },
  ]
}

function warnOfUncappedMemory({ scenarios, environment: { pod } }: Results): readonly Warning[] {
  if (pod.mechanism === 'none') {
    const message = `Memory was observed, not capped (${pod.reason}), so an arm that outgrows its pod isn't killed here.`
    return [{ message, remedy: 'Run as root, under systemd with a delegated cgroup, or with Docker.' }]
  }
  const uncapped = scenarios.filter(({ memoryCapBytes }) => memoryCapBytes === null).map(({ name }) => name)
  if (uncapped.length === 0) return []
  const message = `No memory cap was set in ${enumerate(uncapped)}.`
  return [{ message, remedy: 'Set one with --memory-cap, such as --memory-cap 1GiB.' }]
}

function warnOfStorage({ run: { storage } }: Results): readonly Warning[] {
  if (storage.kind === 'local') {
    const message = 'The tables lie in a local directory, where requests cost next to nothing.'
    return [{ message, remedy: 'Give an S3 endpoint, or start Docker or install Go so that MinIO can run.' }]
  }
  if (!storage.loopback) return []
  const message =
    'The object store answers over loopback without latency, which flatters arms that make many requests.'
  return [{ message, remedy: 'Compare the S3 requests, or point lakeduel at a real S3 endpoint.' }]
}

function warnOfOrchestrator(cells: readonly Cell[]): readonly Warning[] {
  const shares = cells.flatMap((cell) =>
    measuredPhases(cell).map(({ name, phase }) => ({
      where: `${cell.scenario}, ${cell.arm}, ${name}`,
      share: (phase.orchestratorCpuSeconds * 1000) / Math.max(phase.wallMs, 1),
    })),
  )
  const busy = shares.filter(({ share }) => share > ORCHESTRATOR_SHARE).toSorted((a, b) => b.share - a.share)
  const worst = busy[0]
  if (worst === undefined) return []
  const limit = formatPercent(ORCHESTRATOR_SHARE)
  const message = `The harness's own work took more than ${limit} of ${busy.length} of ${shares.length} timed sections, at worst ${formatPercent(worst.share)} (${worst.where}).`
  return [
    { message, remedy: 'Take a larger --profile, so that the engines have more to do than the harness.' },
  ]
}

function warnOfUncountedRequests(cells: readonly Cell[]): readonly Warning[] {
  const reasons = new Map<string, string>()
  for (const { phase } of cells.flatMap(measuredPhases)) {
    if (phase.s3.status === 'unavailable') reasons.set('S3 requests', phase.s3.reason)
    if (phase.postgres.status === 'unavailable') reasons.set('Postgres calls and WAL', phase.postgres.reason)
  }
  return [...reasons].map(([what, reason]) => ({
    message: `${what} were not counted in every phase: ${reason}.`,
    remedy: '`lakeduel doctor` tells what the services offer.',
  }))
}

function warnOfDirtyTree({ environment: { git } }: Results): readonly Warning[] {
  if (git === null || !git.dirty) return []
  const message = `The working tree had changes that ${git.sha.slice(0, 10)} doesn't hold, so nobody else has this code.`
  return [{ message, remedy: 'Commit them and run again before you publish the figures.' }]
}

/** What a reader could take these figures for, and they are not. */
export function listUnmeasured({ run }: Results): readonly string[] {
  const loopback = run.storage.kind === 'local' || run.storage.loopback
  return [
    'Concurrent writers: each cell has one writer, so nothing here tells how often commits conflict.',
    'Readers during a merge: the reading query runs before and after it, never meanwhile.',
    ...(loopback ? ['Network latency: on a real object store each request costs milliseconds more.'] : []),
    'Cold caches of the operating system: nothing drops them between phases.',
    `Other sizes and shapes of data than profile "${run.plan.profile}" has.`,
    'Start-up: connecting and opening the table lie outside of the timed sections.',
  ]
}
