import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Config } from '../../platform/config/load.ts'
import { messageOf } from '../../platform/errors.ts'
import {
  type Calibration,
  NETWORK_PROFILES,
  openNetwork,
  openToxiproxy,
} from '../../platform/services/network/network.ts'
import { type Services, startServices } from '../../platform/services/services.ts'
import { type SelfTest, testInstruments } from '../../scenarios/self-test/self-test.ts'

/** What each profile with a proxy adds to a request, by target. */
export type NetworkCosts =
  | {
      readonly status: 'measured'
      readonly proxy: string
      readonly profiles: Readonly<
        Record<string, { readonly s3: Calibration | null; readonly postgres: Calibration | null }>
      >
    }
  | { readonly status: 'unavailable'; readonly reason: string }

export interface InstrumentReport extends SelfTest {
  /** False when one of the readings is off. */
  readonly agree: boolean
  readonly networks: NetworkCosts
}

/** Starts services where none are configured or held, and tests all instruments on them. */
export async function examineInstruments(config: Config, signal: AbortSignal): Promise<InstrumentReport> {
  const report = (text: string): void => void process.stderr.write(`${text}\n`)
  const runId = `self-test-${process.pid.toString(36)}-${Date.now().toString(36)}`
  await using services = await startServices(config, { runId, signal, report })
  report('measuring work of known size')
  const selfTest = await testOn(services, config, signal)
  report('measuring what the network profiles add')
  const networks = await networkCosts(services, config, signal)
  return { agree: selfTest.readings.every(({ verdict }) => verdict !== 'off'), ...selfTest, networks }
}

async function testOn(services: Services, { home }: Config, signal: AbortSignal): Promise<SelfTest> {
  await mkdir(join(home, 'run'), { recursive: true })
  const scratchDir = await mkdtemp(join(home, 'run', 'spill-'))
  try {
    const { storage, postgres } = services
    return await testInstruments({ storage, postgres, entry: ENTRY, scratchDir, signal })
  } finally {
    await rm(scratchDir, { recursive: true, force: true })
  }
}

/** `.ts` in a checkout, `.js` in the published package. */
const ENTRY = new URL(`../processes/known-work${import.meta.url.slice(-3)}`, import.meta.url)

/** Without the proxy everything else still works, so that its lack is a line of the report and no error. */
async function networkCosts(
  { storage, postgres }: Services,
  config: Config,
  signal: AbortSignal,
): Promise<NetworkCosts> {
  try {
    await using toxiproxy = await openToxiproxy(config, { signal })
    const profiles: Record<string, Awaited<ReturnType<typeof openNetwork>>['calibration']> = {}
    for (const profile of NETWORK_PROFILES) {
      await using network = await openNetwork(toxiproxy, storage, postgres, profile)
      if (network.latencies !== null) profiles[profile] = network.calibration
    }
    return { status: 'measured', proxy: toxiproxy.version, profiles }
  } catch (error) {
    signal.throwIfAborted()
    return { status: 'unavailable', reason: messageOf(error) }
  }
}
