/** MinIO's metrics by S3 operation; version 3 first, as version 2 answers from a cache of some seconds. */
const METRICS_PATHS = ['/minio/metrics/v3/api/requests', '/minio/v2/metrics/cluster']

const TIMEOUT_MS = 5_000

/** Null where the server has no metrics that can be read without a token. */
export async function findMetrics(url: string): Promise<string | null> {
  for (const path of METRICS_PATHS) {
    const response = await request(`${url}${path}`)
    if (response?.ok && (await response.text()).includes('# TYPE minio_')) return `${url}${path}`
  }
  return null
}

/** What the server calls itself in its `Server` header. */
export async function serverHeader(url: string): Promise<string> {
  const response = await request(url)
  await response?.body?.cancel()
  return response?.headers.get('server') ?? 'unknown'
}

function request(url: string): Promise<Response | null> {
  return fetch(url, { signal: AbortSignal.timeout(TIMEOUT_MS) }).catch(() => null)
}
