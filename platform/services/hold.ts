import { join } from 'node:path'
import type { Config } from '../config/load.ts'
import { LakeduelError } from '../errors.ts'
import { withLock } from '../setup/lock.ts'
import { endHeldServices, type HeldServices, readHeldServices } from './held.ts'
import { sweepStaleRuns } from './run-folders.ts'
import { type Missing, missingServices, type StartOptions, startMissing } from './servers.ts'

/**
 * Starts the services that the configuration leaves to lakeduel and lets them run; those that are held already stay.
 * @throws LakeduelError `USAGE` when both are configured, so that there is nothing to start
 */
export async function holdServices(config: Config, options: StartOptions): Promise<HeldServices> {
  const missing = missingServices(config)
  if (!missing.s3 && !missing.postgres) throw nothingToHold()
  const lock = { signal: options.signal, onWait: () => options.report?.('waiting for another `services up`') }
  return withLock(join(config.home, 'services.lock'), lock, () => holdMissing(config, missing, options))
}

async function holdMissing(config: Config, missing: Missing, options: StartOptions): Promise<HeldServices> {
  const held = await readHeldServices(config.home)
  if (held !== null && covers(held, missing)) return held
  // A keeper can't take on another service, so one that holds too little makes way.
  if (held !== null) await endHeldServices(config.home)
  await sweepStaleRuns(config.home)
  const keeper = await startMissing(config, missing, options, true)
  const started = await readHeldServices(config.home)
  if (started === null)
    throw new LakeduelError(
      'SETUP_FAILED',
      'The process that holds the services ended right after its start.',
    )
  keeper.release()
  return started
}

function covers({ servers }: HeldServices, missing: Missing): boolean {
  return (!missing.s3 || servers.s3 !== null) && (!missing.postgres || servers.postgres !== null)
}

function nothingToHold(): LakeduelError {
  return new LakeduelError(
    'USAGE',
    'Both the object store and Postgres are configured, so there is nothing to start.',
    {
      remedy:
        'Runs use the configured ones; unset LAKEDUEL_S3_ENDPOINT or LAKEDUEL_POSTGRES to have one started.',
    },
  )
}
