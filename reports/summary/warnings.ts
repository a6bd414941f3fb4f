import { enumerate, formatPercent, plural } from '../format.ts'
import { phasesOf } from '../metrics.ts'
import type { Cell, Results, Warning } from '../schema.ts'
import { CONFIDENCE, medianInterval, repetitionsFor } from '../statistics/median-interval.ts'
import { median } from '../statistics/quantile.ts'
import type { Noise } from './noise.ts'
import type { PointSummary } from './points.ts'

/** (max − min) / median of the apply times above which an arm is called noisy. */
const NOISY_SPREAD = 0.25
/** The first repetition is called slow above this multiple of the median of the others. */
const SLOW_FIRST = 1.3
/** What the orchestrator's own work may be of a timed section. */
const ORCHESTRATOR_SHARE = 0.02

/** Arms that a warning names; the others are counted. */
const NAMED = 3

interface MeasuredScenario {
  readonly name: string
  readonly metric: string | null
  readonly points: readonly PointSummary[]
  readonly noise: Noise | null
}

/** Everything that makes the figures less sure than they look, each with what to try. */
export function collectWarnings(
  results: Results,
  scenarios: readonly MeasuredScenario[],
): readonly Warning[] {
  return [
    ...warnOfUnfinishedRun(results),
    ...warnOfFewRepetitions(scenarios),
    ...scenarios.flatMap(warnOfNoise),
    ...scenarios.flatMap(warnOfSlowFirst),
    ...scenarios.flatMap(warnOfUnequalTwins),
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

function warnOfFewRepetitions(scenarios: readonly MeasuredScenario[]): readonly Warning[] {
  const counts = scenarios.flatMap(({ points }) =>
    points.flatMap(({ arms }) => arms.filter((arm) => arm.sound).map((arm) => arm.passed.length)),
  )
  const fewest = counts.reduce((least, count) => Math.min(least, count), Infinity)
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

function warnOfNoise(scenario: MeasuredScenario): readonly Warning[] {
  const noisy = headlineFigures(scenario)
    .flatMap(({ where, values }) => {
      if (values.size < 2) return []
      const all = [...values.values()]
      const spread = (Math.max(...all) - Math.min(...all)) / median(all)
      return spread > NOISY_SPREAD ? [{ where, spread }] : []
    })
    .toSorted((a, b) => b.spread - a.spread)
  if (noisy.length === 0) return []
  const arms = nameFirst(noisy.map(({ where, spread }) => `${where} (${formatPercent(spread)})`))
  const message = `${scenario.name}: the repetitions of ${arms} differ by more than ${formatPercent(NOISY_SPREAD)} of their median.`
  return [
    {
      message,
      remedy: 'Close other programs or raise --repeat; the paired ratios suffer less than the times.',
    },
  ]
}

function warnOfSlowFirst(scenario: MeasuredScenario): readonly Warning[] {
  const slow = headlineFigures(scenario).flatMap(({ where, kind, values }) => {
    const first = values.get(0)
    const rest = [...values].flatMap(([repetition, value]) => (repetition > 0 ? [value] : []))
    const late =
      kind === 'time' && first !== undefined && rest.length > 0 && first > SLOW_FIRST * median(rest)
    return late ? [where] : []
  })
  if (slow.length === 0) return []
  const message = `${scenario.name}: the first repetition of ${nameFirst(slow)} was more than ${SLOW_FIRST} times as slow as the others, as when caches are cold.`
  return [
    { message, remedy: 'The medians hold from three repetitions on; raise --repeat when there are fewer.' },
  ]
}

/** The figures of the headline metric, each with the arm and the point that it belongs to. */
function headlineFigures({ metric, points }: MeasuredScenario) {
  return points.flatMap(({ label, arms }) =>
    arms.flatMap(({ arm, figures }) => {
      const figure = metric === null ? undefined : figures.get(metric)
      const where = label === '' ? arm : `${arm} at ${label}`
      return figure === undefined ? [] : [{ where, kind: figure.kind, values: figure.byRepetition }]
    }),
  )
}

function nameFirst(items: readonly string[]): string {
  const rest = items.length - NAMED
  return enumerate(rest > 0 ? [...items.slice(0, NAMED), `${rest} more`] : items)
}

function warnOfUnequalTwins({ name, noise }: MeasuredScenario): readonly Warning[] {
  if (noise === null || !noise.ratio.sufficient) return []
  const { low, high } = noise.ratio
  if (low <= 1 && high >= 1) return []
  const message = `${name}: a second run of the same cell differs from the first one beyond chance, so the order of the cells matters.`
  return [{ message, remedy: 'Look for what the first run leaves behind: caches, connections, a hot disk.' }]
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

function warnOfStorage({ run: { storage, network }, scenarios }: Results): readonly Warning[] {
  if (storage.kind === 'local') {
    const message = 'The tables lie in a local directory, where requests cost next to nothing.'
    return [{ message, remedy: 'Give an S3 endpoint, or start Docker or install Go so that MinIO can run.' }]
  }
  const slowed =
    network !== null || scenarios.some(({ axes }) => axes.some(({ name }) => name.endsWith('LatencyMs')))
  if (!storage.loopback || slowed) return []
  const message =
    'The object store answers over loopback without latency, which flatters arms that make many requests.'
  return [
    { message, remedy: 'Compare the S3 requests, or put the latency of a network on it with --network.' },
  ]
}

function warnOfOrchestrator(cells: readonly Cell[]): readonly Warning[] {
  const shares = cells.flatMap((cell) =>
    phasesOf(cell).map(([name, phase]) => ({
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
  for (const [, phase] of cells.flatMap(phasesOf)) {
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
