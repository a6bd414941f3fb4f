import { ListObjectsV2Command, type S3Client } from '@aws-sdk/client-s3'
import { type PrometheusSample, parsePrometheus } from './prometheus.ts'
import type { S3Counts } from './s3-usage.ts'

const METRIC = 'minio_bucket_api_'
type Direction = 'received' | 'sent'

/**
 * Counts of one bucket from MinIO's metrics version 3: exact, up to date within the request that ended last, and asking
 * for them is not counted. Version 2 isn't used, since it serves what it gathered up to 10 s before; nor are the counts of
 * the whole server, which hold those of other runs.
 */
export class MinioMetrics {
  readonly #url: URL
  /** Which of the two traffic metrics is about bodies that the server sent. */
  readonly #sentMetric: Direction

  private constructor(url: URL, sentMetric: Direction) {
    this.#url = url
    this.#sentMetric = sentMetric
  }

  /**
   * MinIO RELEASE.2025-09-07 has the two traffic metrics of a bucket the wrong way round (those of the server are right).
   * So one listing, which sends a body and receives none, shows which is which.
   * @throws when the server has no such metrics, or asks for credentials
   */
  static async open(metricsUrl: string, client: S3Client, bucket: string): Promise<MinioMetrics> {
    const url = new URL(`/minio/metrics/v3/bucket/api/${bucket}`, metricsUrl)
    const before = trafficOf(await samplesAt(url))
    await client.send(new ListObjectsV2Command({ Bucket: bucket, MaxKeys: 1 }))
    const after = trafficOf(await samplesAt(url))
    if (after.sent > before.sent) return new MinioMetrics(url, 'sent')
    if (after.received > before.received) return new MinioMetrics(url, 'received')
    throw new Error('the metrics did not count a listing')
  }

  async counts(): Promise<S3Counts> {
    const samples = await samplesAt(this.#url)
    const requests = samples.filter(({ metric }) => metric === `${METRIC}total`)
    const traffic = trafficOf(samples)
    return {
      byOperation: Object.fromEntries(
        requests.map(({ labels, value }) => [labels['name'] ?? 'Other', value]),
      ),
      bytesIn: traffic[this.#sentMetric === 'sent' ? 'received' : 'sent'],
      bytesOut: traffic[this.#sentMetric],
    }
  }
}

async function samplesAt(url: URL): Promise<readonly PrometheusSample[]> {
  const response = await fetch(url)
  const text = await response.text()
  if (!response.ok) throw new Error(`the metrics of the S3 server answer with HTTP ${response.status}`)
  return parsePrometheus(text)
}

/** Zero before the first request to the bucket. */
function trafficOf(samples: readonly PrometheusSample[]): Readonly<Record<Direction, number>> {
  const total = (direction: Direction) =>
    samples.find(({ metric }) => metric === `${METRIC}traffic_${direction}_bytes`)?.value ?? 0
  return { received: total('received'), sent: total('sent') }
}
