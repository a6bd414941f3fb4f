import { mkdir } from 'node:fs/promises'
import type { SourceAccess } from '../../migrate/source/open.ts'
import { type Config, loadConfig } from '../../platform/config/load.ts'
import type { S3Endpoint } from '../../platform/endpoints.ts'
import { LakeduelError, messageOf } from '../../platform/errors.ts'
import { readHeldServices } from '../../platform/services/held.ts'
import { openSpillFolder } from '../../platform/services/run-folders.ts'
import type { S3Server } from '../../platform/services/server-schemas.ts'
import { ensureSetup } from '../../platform/setup/setup.ts'

export interface MigrateSurroundings extends SourceAccess, AsyncDisposable {
  readonly config: Config
  /** The interpreter that delta-rs runs in. */
  readonly python: string
}

const DEFAULT_MEMORY_BYTES = 1024 * 2 ** 20
/** DuckDB's share of what the process may take; the rest is for Node, and for what DuckDB doesn't count. */
const DUCKDB_SHARE = 0.35

/** What the commands of `lakeduel migrate` work with. Nothing is probed, since a plan writes nothing anywhere. */
export async function openMigrateSurroundings(
  options: { readonly config?: string; readonly maxMemory?: number | null; readonly report?: string },
  signal: AbortSignal,
): Promise<MigrateSurroundings> {
  if (options.report !== undefined) await makeReportFolder(options.report)
  const config = await loadConfig({ configFile: options.config })
  const setup = await ensureSetup(config.home, { minio: false, engines: config.engines, signal })
  const spill = await openSpillFolder(config.home)
  return {
    config,
    duckdbExtensions: setup.duckdbExtensions,
    python: setup.sidecar.python,
    s3: await s3EndpointOf(config),
    scratchDir: spill.path,
    memoryLimitBytes: Math.floor((options.maxMemory ?? DEFAULT_MEMORY_BYTES) * DUCKDB_SHARE),
    [Symbol.asyncDispose]: () => spill[Symbol.asyncDispose](),
  }
}

/** Before the work that a report is of. */
async function makeReportFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder, { recursive: true })
  } catch (cause) {
    throw new LakeduelError('USAGE', `--report ${folder} can't be made: ${messageOf(cause)}`, {
      facts: { folder },
      remedy: 'Name a folder that is there, or that can be made.',
      cause,
    })
  }
}

/** The configured object store, else the one that `lakeduel services up` holds, else none. */
async function s3EndpointOf(config: Config): Promise<S3Endpoint | null> {
  if (config.s3 !== null) {
    const { sessionToken, bucket: _bucket, prefix: _prefix, ...access } = config.s3
    const token = sessionToken === null ? {} : { sessionToken }
    return unprobed({ ...access, ...token, origin: 'configured', version: null })
  }
  const held = await readHeldServices(config.home)
  return held?.servers.s3 == null ? null : unprobed(held.servers.s3)
}

function unprobed(server: S3Server): S3Endpoint {
  return { ...server, version: server.version ?? 'not asked', putIfAbsent: false, metricsUrl: null }
}
