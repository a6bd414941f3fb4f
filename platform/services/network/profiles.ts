export const NETWORK_PROFILES = ['loopback', 'same-region', 'cross-region'] as const
export type NetworkProfile = (typeof NETWORK_PROFILES)[number]

/**
 * What is added to each answer on its way from the server: it comes `latencyMs` later, more or less by up to `jitterMs`
 * (uniform, in whole milliseconds, drawn anew for each piece of up to 32 KiB, none overtaking another). Requests pass
 * undelayed, so that a request and its answer take one `latencyMs` more in all, as they do over a network with that round
 * trip. Opening a connection takes no longer, and bandwidth has no limit.
 */
export interface Latency {
  readonly latencyMs: number
  readonly jitterMs: number
}

export interface Latencies {
  readonly s3: Latency
  readonly postgres: Latency
}

/** Through the proxy, which adds nothing of its own accord: what other latencies compare with, and what faults need. */
export const NO_LATENCY: Latencies = {
  s3: { latencyMs: 0, jitterMs: 0 },
  postgres: { latencyMs: 0, jitterMs: 0 },
}

/**
 * By profile; `loopback` has no proxy in between at all.
 * - `same-region`: 15 ms is the time to the first byte of a small object that a bucket in one's own region takes in good
 *   times; 1 ms is a round trip to a database in another zone.
 * - `cross-region`: the bucket is in another region, about 50 ms away, with more spread; the catalog stays near the
 *   loaders, as both formats' commits would otherwise wait for it too.
 */
export const PROFILE_LATENCIES: Readonly<Record<NetworkProfile, Latencies | null>> = {
  loopback: null,
  'same-region': { s3: { latencyMs: 15, jitterMs: 5 }, postgres: { latencyMs: 1, jitterMs: 0 } },
  'cross-region': { s3: { latencyMs: 50, jitterMs: 10 }, postgres: { latencyMs: 1, jitterMs: 0 } },
}

/** Any other latencies, without jitter, for an axis of a scenario: only what varies should differ between its points. */
export function latencies(s3LatencyMs: number, postgresLatencyMs = 0): Latencies {
  return {
    s3: { latencyMs: s3LatencyMs, jitterMs: 0 },
    postgres: { latencyMs: postgresLatencyMs, jitterMs: 0 },
  }
}
