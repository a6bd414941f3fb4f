import type { PostgresEndpoint, Storage } from '../../endpoints.ts'
import { withPostgres } from '../postgres/client.ts'

type S3Storage = Extract<Storage, { kind: 's3' }>

/**
 * Medians of small requests one after another over open connections, in milliseconds. The three ways take turns, so that a
 * machine that is getting busier makes no difference between them.
 */
export interface Calibration {
  /** Requests of each of the three ways. */
  readonly samples: number
  /** Straight to the server. */
  readonly directMs: number
  /** Through a proxy that delays nothing. */
  readonly undelayedMs: number
  /** Through the proxy that the measured processes use. */
  readonly proxiedMs: number
  /** What a proxy costs by itself: the median of how much longer its turn took than the direct one before. Below 0 is noise. */
  readonly proxyCostMs: number
  /** What a request takes longer in all, in the same way. */
  readonly addedMs: number
}

/** Sends one small request and waits for its answer. */
type Request = () => Promise<unknown>

/** Asks `work` for its measurements with a request to send through an open connection. */
export type Requester = <T>(work: (request: Request) => Promise<T>) => Promise<T>

const SAMPLES = 25
const WARM_UP = 3

export interface Ways {
  readonly direct: Requester
  readonly undelayed: Requester
  readonly proxied: Requester
}

export async function calibrate({ direct, undelayed, proxied }: Ways): Promise<Calibration> {
  return direct((straight) =>
    undelayed((through) => proxied(async (late) => calibrationOf(await turns([straight, through, late])))),
  )
}

/** `HEAD` of the bucket. It is not signed, as that takes longer than the way; to be refused is an answer as good as any. */
export function s3Requester({ endpoint, bucket }: S3Storage): Requester {
  return (work) => work(() => fetch(`${endpoint.url}/${bucket}`, { method: 'HEAD' }))
}

/** `SELECT 1` as a simple query. */
export function postgresRequester(endpoint: PostgresEndpoint): Requester {
  return (work) => withPostgres(endpoint, (client) => work(() => client.query('SELECT 1')))
}

/** How long each request took, in milliseconds, turn by turn. */
async function turns(requests: readonly Request[]): Promise<readonly (readonly number[])[]> {
  const timesMs: number[][] = []
  for (let turn = 0; turn < WARM_UP + SAMPLES; turn += 1) {
    const turnMs: number[] = []
    for (const request of requests) {
      const startedAt = performance.now()
      await request()
      turnMs.push(performance.now() - startedAt)
    }
    timesMs.push(turnMs)
  }
  return timesMs.slice(WARM_UP)
}

function calibrationOf(timesMs: readonly (readonly number[])[]): Calibration {
  const medianOf = (of: (direct: number, undelayed: number, proxied: number) => number) =>
    median(timesMs.map(([direct = 0, undelayed = 0, proxied = 0]) => of(direct, undelayed, proxied)))
  return {
    samples: timesMs.length,
    directMs: medianOf((direct) => direct),
    undelayedMs: medianOf((_, undelayed) => undelayed),
    proxiedMs: medianOf((_direct, _undelayed, proxied) => proxied),
    proxyCostMs: medianOf((direct, undelayed) => undelayed - direct),
    addedMs: medianOf((direct, _, proxied) => proxied - direct),
  }
}

/** Of an odd number of values. */
function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[(values.length - 1) / 2] ?? Number.NaN
}
