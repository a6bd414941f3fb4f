import type { PostgresEndpoint, Storage } from '../../platform/endpoints.ts'
import { createPod, type DetectedMechanism, detectPodMechanism } from '../../platform/pods/mechanism.ts'
import { openPostgresMeter } from '../measure/postgres-usage.ts'
import { openS3Meter, type S3Meter } from '../measure/s3-requests.ts'
import { readyEventSchema } from '../processes/protocol.ts'
import { Child } from '../runner/child.ts'
import { type Instruments, measurePhase } from '../runner/phase.ts'
import { withOwnDatabase } from './own-database.ts'
import { READINGS, type Reading } from './readings.ts'
import { WORKS, type Work, type WorkerRequest, workDoneSchema } from './works.ts'

export interface SelfTestOptions {
  /** A bucket or prefix that nobody else uses meanwhile. */
  readonly storage: Storage
  readonly postgres: PostgresEndpoint
  /** The program of the process that works. */
  readonly entry: URL
  /** An empty folder. */
  readonly scratchDir: string
  readonly signal: AbortSignal
}

export interface SelfTest {
  /** How pods are made here; without a mechanism nothing is capped, and the readings of cgroups are missing. */
  readonly pod: DetectedMechanism
  /** What counts the requests. */
  readonly s3Source: S3Meter['source']
  readonly readings: readonly Reading[]
}

const DEADLINE_MS = 60_000

/**
 * Has work of known size done in a pod, and holds what the instruments record, in the way in which they record a cell,
 * against it. It takes some ten seconds.
 */
export async function testInstruments(options: SelfTestOptions): Promise<SelfTest> {
  return withOwnDatabase(options.postgres, async (postgres) => {
    await using s3 = await openS3Meter(options.storage)
    await using postgresMeter = await openPostgresMeter(postgres)
    const instruments = { s3, postgres: postgresMeter, scratchDir: options.scratchDir }
    const readings = await measureWorks({ ...options, postgres, storage: s3.storage }, instruments)
    return { pod: await detectPodMechanism(), s3Source: s3.source, readings }
  })
}

async function measureWorks(
  { storage, postgres, scratchDir, entry, signal }: SelfTestOptions,
  instruments: Instruments,
): Promise<readonly Reading[]> {
  const works: readonly Work[] = Object.values(WORKS)
  const waiting = { deadlineMs: DEADLINE_MS, signal }
  await using pod = await createPod({ name: 'self-test', memoryCapBytes: null })
  const request: WorkerRequest = { works, storage, postgres, scratchDir }
  await using child = new Child(pod, entry, request)
  const { processes } = await child.event(readyEventSchema, waiting)
  const readings: Reading[] = []
  for (const { kind } of works) {
    const usageBefore = pod.usage()
    const { phase, result: done } = await measurePhase([{ child, processes }], instruments, () => {
      child.tell('go')
      return child.event(workDoneSchema, waiting)
    })
    readings.push(...READINGS[kind]({ phase, done, usageBefore }))
  }
  await child.exit()
  return readings
}
