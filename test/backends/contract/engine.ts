import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api'
import type { BackendEnvironment } from '../../../backends/backend.ts'
import { text } from './rows.ts'

/**
 * A DuckDB of the tests' own, which stages parts and reads tables back. It shares nothing with the one of a backend,
 * and it caches nothing of remote files, so that each read is a fresh one.
 */
export async function connectTestEngine(environment: BackendEnvironment): Promise<{
  readonly connection: DuckDBConnection
  connect(): Promise<DuckDBConnection>
  close(): void
}> {
  const instance = await DuckDBInstance.create(':memory:', { threads: '2', memory_limit: '1GB' })
  const connection = await instance.connect()
  for (const path of Object.values(environment.duckdbExtensions)) await connection.run(`LOAD ${text(path)}`)
  await connection.run('SET GLOBAL enable_external_file_cache = false')
  await connection.run("SET GLOBAL TimeZone = 'UTC'")
  if (environment.storage.kind === 's3') await connection.run(secretStatement(environment.storage.endpoint))
  return {
    connection,
    connect: () => instance.connect(),
    close: () => {
      connection.closeSync()
      instance.closeSync()
    },
  }
}

type S3Storage = Extract<BackendEnvironment['storage'], { kind: 's3' }>

function secretStatement(endpoint: S3Storage['endpoint']): string {
  const { host, protocol } = new URL(endpoint.url)
  const options = [
    'TYPE s3',
    `KEY_ID ${text(endpoint.accessKeyId)}`,
    `SECRET ${text(endpoint.secretAccessKey)}`,
    `REGION ${text(endpoint.region)}`,
    `ENDPOINT ${text(host)}`,
    `URL_STYLE ${text(endpoint.urlStyle)}`,
    `USE_SSL ${protocol === 'https:'}`,
    ...(endpoint.sessionToken === undefined ? [] : [`SESSION_TOKEN ${text(endpoint.sessionToken)}`]),
  ]
  return `CREATE SECRET (${options.join(', ')})`
}
