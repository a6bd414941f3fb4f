import { LakeduelError } from '../../platform/errors.ts'
import type { Services } from '../../platform/services/services.ts'
import { VERSION } from '../../platform/version.ts'
import type { Results } from '../../reports/schema.ts'
import { RESULTS_SCHEMA_VERSION } from '../../reports/schema.ts'
import { takeFingerprint } from '../../scenarios/measure/fingerprint.ts'

/** What is known when a run begins. */
export interface Beginning extends Pick<Results['run'], 'command' | 'plan' | 'network'> {
  readonly runId: string
  readonly services: Services
}

/** The results of a run that has no cell yet. */
export async function newResults(beginning: Beginning): Promise<Results> {
  const { takenAt, nodeVersion, ...machine } = await takeFingerprint()
  const { storage, postgres } = beginning.services
  return {
    schemaVersion: RESULTS_SCHEMA_VERSION,
    lakeduelVersion: VERSION,
    run: runOf(beginning, takenAt),
    environment: {
      ...machine,
      versions: {
        node: nodeVersion,
        duckdb: null,
        ducklake: null,
        deltalake: null,
        deltalite: null,
        python: null,
        minio: storage.kind === 's3' ? storage.endpoint.version : null,
        postgres: postgres.version,
      },
    },
    scenarios: [],
    cells: [],
    warnings: [],
  }
}

function runOf(
  { command, plan, runId, services: { storage }, network }: Beginning,
  startedAt: string,
): Results['run'] {
  return {
    id: runId,
    startedAt,
    finishedAt: null,
    command,
    plan,
    storage:
      storage.kind === 'local'
        ? { kind: 'local' }
        : {
            kind: 's3',
            origin: storage.endpoint.origin,
            version: storage.endpoint.version,
            loopback: isLoopback(new URL(storage.endpoint.url).hostname),
          },
    network,
    floors: {},
  }
}

/**
 * Earlier results to go on with, on the same kind of machine.
 * @throws LakeduelError `USAGE` when this machine or its services differ from those of the run
 */
export async function resumedResults(earlier: Results, beginning: Beginning): Promise<Results> {
  const now = await newResults(beginning)
  const differing = [
    ['lakeduel', earlier.lakeduelVersion, now.lakeduelVersion],
    ['processor', earlier.environment.cpuModel, now.environment.cpuModel],
    ['cores', earlier.environment.cores, now.environment.cores],
    ['memory caps by', earlier.environment.pod.mechanism, now.environment.pod.mechanism],
    ['storage', JSON.stringify(earlier.run.storage), JSON.stringify(now.run.storage)],
  ].filter(([, before, after]) => before !== after)
  if (differing.length === 0) return unfinished(earlier)
  const differences = differing.map(([what, before, after]) => `${what}: ${before} then, ${after} now`)
  throw new LakeduelError('USAGE', `The run was measured elsewhere: ${differences.join('; ')}.`, {
    facts: { differences },
    remedy: 'Resume it where it began, or start a new run without --resume.',
  })
}

/** Cells that failed by an error are measured again, but for an engine's own word that it has no memory: a server may have been down. */
function unfinished(earlier: Results): Results {
  const cells = earlier.cells.filter(
    (cell) => cell.status !== 'engine-error' || cell.code === 'ENGINE_OUT_OF_MEMORY',
  )
  return { ...earlier, cells, run: { ...earlier.run, finishedAt: null } }
}

function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || hostname.startsWith('127.')
}
