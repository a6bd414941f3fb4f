import { LakeduelError } from '../../platform/errors.ts'
import type { Services } from '../../platform/services/services.ts'
import { VERSION } from '../../platform/version.ts'
import type { Results } from '../../reports/schema.ts'
import { RESULTS_SCHEMA_VERSION } from '../../reports/schema.ts'
import { takeFingerprint } from '../../scenarios/measure/fingerprint.ts'
import { recordedPlan } from './request.ts'
import type { BenchRun } from './run.ts'

/** The results of a run that has no cell yet. */
export async function newResults(
  run: BenchRun,
  runId: string,
  services: Services,
  network: Results['run']['network'],
): Promise<Results> {
  const { takenAt, nodeVersion, ...machine } = await takeFingerprint()
  const { storage, postgres } = services
  return {
    schemaVersion: RESULTS_SCHEMA_VERSION,
    lakeduelVersion: VERSION,
    run: runOf(run, { runId, startedAt: takenAt, storage, network }),
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

interface Started {
  readonly runId: string
  readonly startedAt: string
  readonly storage: Services['storage']
  readonly network: Results['run']['network']
}

function runOf(run: BenchRun, { runId, startedAt, storage, network }: Started): Results['run'] {
  return {
    id: runId,
    startedAt,
    finishedAt: null,
    command: run.command,
    plan: recordedPlan(run.plan),
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
export async function resumedResults(
  earlier: Results,
  run: BenchRun,
  runId: string,
  services: Services,
  network: Results['run']['network'],
): Promise<Results> {
  const now = await newResults(run, runId, services, network)
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
