import type { BackendEnvironment } from '../backends/backend.ts'
import type { PostgresEndpoint, S3Endpoint } from '../platform/endpoints.ts'

/** What every test process is given of the world; a test adds its own storage prefix and catalog schema. */
export interface TestServices {
  readonly s3: S3Endpoint
  /** This test run's own bucket, or its prefix in a configured one: empty, or with a trailing slash. */
  readonly bucket: string
  readonly prefix: string
  readonly postgres: PostgresEndpoint
  readonly duckdbExtensions: BackendEnvironment['duckdbExtensions']
  readonly sidecar: BackendEnvironment['sidecar']
}

declare module 'vitest' {
  export interface ProvidedContext {
    services: TestServices
  }
}
