/** Running totals of one bucket, as a server or a proxy counted them. */
export interface S3Counts {
  readonly byOperation: Readonly<Record<string, number>>
  readonly bytesIn: number
  readonly bytesOut: number
}

/** Maps one to one to the `s3` of a phase in the results. Refused requests (404, 412) count as others do. */
export type S3Usage =
  | {
      readonly status: 'measured'
      /** By the names that MinIO gives: `GetObject`, `PutObjectPart`, `ListObjectsV2`, … */
      readonly byOperation: Readonly<Record<string, number>>
      readonly requests: number
      /** Bodies that the store received, without headers. */
      readonly bytesIn: number
      /** Bodies that the store sent, without headers. */
      readonly bytesOut: number
    }
  | { readonly status: 'unavailable'; readonly reason: string }

/** What was counted between two snapshots. */
export function usageBetween(before: S3Counts, after: S3Counts): S3Usage {
  const changes = Object.entries(after.byOperation)
    .map(([operation, count]) => [operation, count - (before.byOperation[operation] ?? 0)] as const)
    .filter(([, count]) => count !== 0)
  const bytesIn = after.bytesIn - before.bytesIn
  const bytesOut = after.bytesOut - before.bytesOut
  if (bytesIn < 0 || bytesOut < 0 || changes.some(([, count]) => count < 0)) {
    return {
      status: 'unavailable',
      reason: 'the counters went backwards: the server was restarted meanwhile',
    }
  }
  const requests = changes.reduce((total, [, count]) => total + count, 0)
  return { status: 'measured', byOperation: Object.fromEntries(changes), requests, bytesIn, bytesOut }
}
