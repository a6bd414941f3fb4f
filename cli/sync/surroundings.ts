import { availableParallelism } from 'node:os'
import type { Surroundings } from '../../pipeline/lake.ts'
import { STATE_DEFAULTS } from '../../pipeline/state/store.ts'
import { type Config, loadConfig } from '../../platform/config/load.ts'
import { openLakeServices } from '../../platform/services/lake.ts'
import { openSpillFolder } from '../../platform/services/run-folders.ts'
import { ensureSetup } from '../../platform/setup/setup.ts'
import { chosen } from '../bench/nearest.ts'

export interface Opened extends AsyncDisposable {
  readonly config: Config
  readonly surroundings: Surroundings
}

export interface SurroundingsOptions {
  readonly storage?: string
  readonly config?: string
}

/**
 * What the commands of the pipeline work with: lasting services, the engines' files, and a folder for spill files that is
 * removed with it.
 */
export async function openSurroundings(options: SurroundingsOptions, signal: AbortSignal): Promise<Opened> {
  const storage =
    options.storage === undefined
      ? undefined
      : chosen('storage', [options.storage], ['s3', 'local'] as const)[0]
  const config = await loadConfig({ flags: { storage }, configFile: options.config })
  const setup = await ensureSetup(config.home, { minio: false, engines: config.engines, signal })
  const services = await openLakeServices(config)
  const spill = await openSpillFolder(config.home)
  return {
    config,
    surroundings: {
      ...services,
      duckdbExtensions: { ...setup.duckdbExtensions },
      sidecar: { python: setup.sidecar.python, unavailable: { ...setup.sidecar.unavailable } },
      scratchDir: spill.path,
      threads: availableParallelism(),
      stateSchema: STATE_DEFAULTS.schema,
    },
    [Symbol.asyncDispose]: async () => spill[Symbol.asyncDispose](),
  }
}
