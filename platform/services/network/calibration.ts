import { HeadBucketCommand } from '@aws-sdk/client-s3'
import type { PostgresEndpoint, Storage } from '../../endpoints.ts'
import { withPostgres } from '../postgres/client.ts'
import { s3Client } from '../s3/client.ts'

type S3Storage = Extract<Storage, { kind: 's3' }>

/** Medians of small requests one after another over an open connection, in milliseconds. */
export interface Calibration {
  /** Requests of each of the three kinds. */
  readonly samples: number
  /** Straight to the server. */
  readonly directMs: number
  /** Through the proxy before it delayed anything. */
  readonly undelayedMs: number
  /** Through the proxy as the measured processes use it. */
  readonly proxiedMs: number
  /** What the proxy costs by itself: `undelayedMs` less `directMs`. */
  readonly proxyCostMs: number
  /** What a request takes longer in all: `proxiedMs` less `directMs`. */
  readonly addedMs: number
}

/** Sends one small request and waits for its answer. */
type Request = () => Promise<unknown>

/** Asks `work` for its measurements with a request to send through an open connection. */
export type Requester = <T>(work: (request: Request) => Promise<T>) => Promise<T>

const SAMPLES = 25
const WARM_UP = 3

/**
 * Measures a way three times, in the order in which the way is built: straight and through the idle proxy, taking turns,
 * then through the proxy with what `delay` has added to it.
 */
export async function calibrate(
  direct: Requester,
  proxied: Requester,
  delay: () => Promise<void>,
): Promise<Calibration> {
  return direct((straight) =>
    proxied(async (through) => {
      const [directMs = 0, undelayedMs = 0] = await mediansTakingTurns([straight, through])
      await delay()
      const [proxiedMs = 0] = await mediansTakingTurns([through])
      return {
        samples: SAMPLES,
        directMs,
        undelayedMs,
        proxiedMs,
        proxyCostMs: undelayedMs - directMs,
        addedMs: proxiedMs - directMs,
      }
    }),
  )
}

/** `HEAD` of the bucket, signed, by the AWS SDK: its own time is in all figures and cancels out of their differences. */
export function s3Requester({ endpoint, bucket }: S3Storage): Requester {
  return async (work) => {
    const client = s3Client(endpoint)
    try {
      return await work(() => client.send(new HeadBucketCommand({ Bucket: bucket })))
    } finally {
      client.destroy()
    }
  }
}

/** `SELECT 1` as a simple query. */
export function postgresRequester(endpoint: PostgresEndpoint): Requester {
  return (work) => withPostgres(endpoint, (client) => work(() => client.query('SELECT 1')))
}

async function mediansTakingTurns(requests: readonly Request[]): Promise<readonly number[]> {
  const timesMs = requests.map((): number[] => [])
  for (let turn = -WARM_UP; turn < SAMPLES; turn += 1) {
    for (const [index, request] of requests.entries()) {
      const startedAt = performance.now()
      await request()
      if (turn >= 0) timesMs[index]?.push(performance.now() - startedAt)
    }
  }
  return timesMs.map(median)
}

/** Of an odd number of values. */
function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[(values.length - 1) / 2] ?? Number.NaN
}
