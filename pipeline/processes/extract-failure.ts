import { SourceFailed } from '../extract/paged-reading.ts'
import { incrementalOf, resumePointOf, storedBefore } from '../extract/resume-point.ts'
import { parseSourceConfig } from '../sources/config.ts'
import { classify } from '../sources/errors.ts'
import { writeFailureBundle } from '../sources/failure-bundle/write.ts'
import { sourceNamed } from '../sources/registry.ts'
import { secretsOf } from '../sources/secrets.ts'
import type { ReadLimits, SourceDefinition } from '../sources/source.ts'
import type { RunFailure } from '../state/model.ts'
import type { State } from '../state/store.ts'
import type { ExtractRequest } from './protocol.ts'
import { tableOfRun } from './source-table.ts'

export interface FailedExtraction {
  readonly request: ExtractRequest
  readonly state: State
  /** With which pages were asked for. */
  readonly limits: ReadLimits
}

/** What a person must mend says so itself; all else leaves a bundle for whoever mends it apart from here. */
export async function extractFailure(error: unknown, failed: FailedExtraction): Promise<RunFailure> {
  const { request } = failed
  const definition = await sourceNamed(request.source)
  const secrets = secretsOf(definition, request.sourceConfig)
  const {
    class: kind,
    code,
    message,
    remedy,
  } = error instanceof SourceFailed ? error.failure : classify(definition, error, secrets)
  const bundle = kind === 'user' ? null : await bundleOf(error, definition, failed)
  return { class: kind, code, message, remedy, bundle }
}

/** Null when it can't be written: the failure itself must be told all the same. */
async function bundleOf(
  error: unknown,
  definition: SourceDefinition,
  { request, state, limits }: FailedExtraction,
): Promise<string | null> {
  try {
    // As it is now: what was recorded since the run was taken up is not read again.
    const run = await state.runs.get(request.runId)
    const incremental = incrementalOf(run, await storedBefore(run, state))
    const resume = error instanceof SourceFailed ? error.cursor : resumePointOf(run.resumeCursor).cursor
    await using source = await definition.open(parseSourceConfig(definition, request.sourceConfig))
    return await writeFailureBundle(request.bundleDir, {
      definition,
      from: request.source,
      config: request.sourceConfig,
      runId: run.runId,
      table: await tableOfRun(source, run),
      lakeColumns: run.columns,
      request: { incremental, resume, limits },
      error: error instanceof SourceFailed ? error.cause : error,
      includeValues: request.includeValues,
    })
  } catch {
    return null
  }
}
