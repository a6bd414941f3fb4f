import { fileURLToPath } from 'node:url'
import { execa } from 'execa'
import { inject } from 'vitest'

const MAIN = fileURLToPath(new URL('../../cli/main.ts', import.meta.url))

/** The variables by which `lakeduel` uses the services of the tests, in a bucket of its own. */
export function serviceVariables(): Readonly<Record<string, string>> {
  const { s3, postgres } = inject('services')
  return {
    LAKEDUEL_S3_ENDPOINT: s3.url,
    LAKEDUEL_S3_ACCESS_KEY_ID: s3.accessKeyId,
    LAKEDUEL_S3_SECRET_ACCESS_KEY: s3.secretAccessKey,
    PGHOST: postgres.host,
    PGPORT: String(postgres.port),
    PGUSER: postgres.user,
    PGPASSWORD: postgres.password,
    PGDATABASE: postgres.database,
  }
}

/** Starts `lakeduel` as a user does; it resolves whatever its exit code is. */
export function lakeduel(
  args: readonly string[],
  env: Readonly<Record<string, string>> = serviceVariables(),
  stdin: 'ignore' | 'pipe' = 'ignore',
) {
  return execa(process.execPath, [MAIN, ...args], { env, reject: false, stdin })
}
