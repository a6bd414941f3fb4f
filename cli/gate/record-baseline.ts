import { dirname, join, resolve } from 'node:path'
import { LakeduelError } from '../../platform/errors.ts'
import type { GateConfig } from '../../reports/gate/config.ts'
import type { Results } from '../../reports/schema.ts'
import { readResults } from '../results/read.ts'
import { appendTo, writeWhole } from '../results/write.ts'

/** A line of the log beside a baseline: why it was replaced, by what. */
interface Replacement {
  readonly recordedAt: string
  readonly reason: string
  readonly run: string
  readonly commit: string | null
  /** The run that it replaced; null for the first baseline. */
  readonly replaced: string | null
}

/** Where the baseline of a configuration is; null without one. */
export function baselinePath(config: GateConfig, configPath: string): string | null {
  return config.baseline === undefined ? null : resolve(dirname(configPath), config.baseline)
}

/**
 * Makes results the baseline, and notes why in `<baseline>.log.ndjson`.
 * @throws LakeduelError `USAGE` when the configuration names no baseline, or the results aren't fit to be one
 */
export async function recordBaseline(
  { path, results, reason }: { readonly path: string; readonly results: Results; readonly reason: string },
  now: Date,
): Promise<Replacement> {
  assertFit(results)
  const before = await readResults(path).catch(() => null)
  const replacement = {
    recordedAt: now.toISOString(),
    reason,
    run: results.run.id,
    commit: results.environment.git?.sha ?? null,
    replaced: before?.run.id ?? null,
  }
  await writeWhole(path, `${JSON.stringify(results)}\n`)
  await appendTo(join(dirname(path), 'baseline.log.ndjson'), `${JSON.stringify(replacement)}\n`)
  return replacement
}

/** Whatever a baseline has wrong would be right for ever after. */
function assertFit({ cells, run }: Results): void {
  const wrong = cells.filter(({ status }) => status === 'wrong-data').length
  const passed = cells.filter(({ status }) => status === 'ok').length
  const problem =
    wrong > 0
      ? `${wrong} of its cells have wrong data`
      : run.finishedAt === null
        ? 'the run was not finished'
        : passed === 0
          ? 'no cell passed'
          : null
  if (problem === null) return
  throw new LakeduelError('USAGE', `The results are not fit for a baseline: ${problem}.`, {
    facts: { run: run.id },
    remedy: 'Give the results of a run that finished with right data.',
  })
}
