import { dirname, resolve } from 'node:path'
import { LakeduelError } from '../../platform/errors.ts'
import type { GateConfig } from '../../reports/gate/config.ts'
import type { Results } from '../../reports/schema.ts'
import { readResults } from '../results/read.ts'
import { appendToS3Object, isS3Address, putS3Object } from '../results/s3-object.ts'
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

/** Where the baseline of a configuration is, a file or `s3://bucket/key`; null without one. */
export function baselinePath(config: GateConfig, configPath: string): string | null {
  if (config.baseline === undefined) return null
  return isS3Address(config.baseline) ? config.baseline : resolve(dirname(configPath), config.baseline)
}

/**
 * Makes results the baseline, and notes why in `baseline.log.ndjson` beside it.
 * @throws LakeduelError `USAGE` when the results aren't fit to be one, `S3_…` when the object store says no
 */
export async function recordBaseline(
  { path, results, reason }: { readonly path: string; readonly results: Results; readonly reason: string },
  now: Date,
): Promise<Replacement> {
  assertFit(results)
  const before = await readResults(path).catch(nullWithoutResults)
  const replacement = {
    recordedAt: now.toISOString(),
    reason,
    run: results.run.id,
    commit: results.environment.git?.sha ?? null,
    replaced: before?.run.id ?? null,
  }
  await replace(path, `${JSON.stringify(results)}\n`, `${JSON.stringify(replacement)}\n`)
  return replacement
}

/** An unreadable baseline is as good as none; a store that doesn't answer may well have one. */
function nullWithoutResults(error: unknown): null {
  if (error instanceof LakeduelError && error.code === 'RESULTS_CORRUPT') return null
  throw error
}

async function replace(path: string, baseline: string, logLine: string): Promise<void> {
  const log = path.replace(/[^/]*$/, 'baseline.log.ndjson')
  if (!isS3Address(path)) {
    await writeWhole(path, baseline)
    await appendTo(log, logLine)
    return
  }
  await putS3Object(path, baseline)
  await appendToS3Object(log, logLine)
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
