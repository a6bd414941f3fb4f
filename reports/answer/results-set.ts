/** Results of one or several runs as one body of evidence. */
import { formatBytes } from '../format.ts'
import type { Results } from '../schema.ts'
import { summarize } from '../summary.ts'
import type { Evidence } from './evidence.ts'

/** Every scenario from the newest run that measured it: its figures are compared within that run only. */
export function evidenceOf(runs: readonly Results[]): Evidence {
  const oldestFirst = runs.toSorted((a, b) => a.run.startedAt.localeCompare(b.run.startedAt))
  const summaries = oldestFirst.flatMap((results) => summarize(results).scenarios)
  return new Map(
    summaries
      .filter(({ points }) => points.some(({ arms }) => arms.some(({ passed }) => passed.length > 0)))
      .map((summary) => [summary.name, summary]),
  )
}

/**
 * In what the runs differ so that figures of one say nothing beside those of another: machine, way of capping memory,
 * engines, storage. Empty when they may stand in one document.
 */
export function differencesOf(runs: readonly Results[]): readonly string[] {
  const conditions = runs.map(conditionsOf)
  const known = [...new Set(conditions.flatMap((one) => Object.keys(one)))]
  return known.flatMap((what) => {
    const values = new Set(conditions.flatMap((one) => one[what] ?? []))
    return values.size === 1 ? [] : [`${what}: ${[...values].join(' and ')}`]
  })
}

/** Engines that a run didn't use aren't held against it. */
function conditionsOf({ environment, run }: Results): Readonly<Record<string, string>> {
  const { cpuModel, cores, memoryBytes, pod, versions } = environment
  const { storage } = run
  return {
    processor: `${cpuModel}, ${cores} cores`,
    memory: formatBytes(memoryBytes),
    'memory caps by': pod.mechanism,
    storage: storage.kind === 'local' ? 'local directory' : `S3, ${storage.version}`,
    ...Object.fromEntries(
      Object.entries(versions).flatMap(([name, version]) => (version === null ? [] : [[name, version]])),
    ),
  }
}
