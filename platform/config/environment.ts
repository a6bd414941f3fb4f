import { unknownKey } from './unknown-key.ts'

/** Which setting each environment variable gives, as a path into `configSchema`. */
const LAKEDUEL_VARIABLES: Readonly<Record<string, string>> = {
  LAKEDUEL_HOME: 'home',
  LAKEDUEL_STORAGE: 'storage',
  LAKEDUEL_LOCAL_ROOT: 'localRoot',
  LAKEDUEL_DOCKER: 'docker',
  LAKEDUEL_TOXIPROXY: 'toxiproxy',
  LAKEDUEL_DELTALAKE: 'engines.deltalake',
  LAKEDUEL_DELTALITE: 'engines.deltalite',
  LAKEDUEL_S3_ENDPOINT: 's3.endpoint',
  LAKEDUEL_S3_REGION: 's3.region',
  LAKEDUEL_S3_ACCESS_KEY_ID: 's3.accessKeyId',
  LAKEDUEL_S3_SECRET_ACCESS_KEY: 's3.secretAccessKey',
  LAKEDUEL_S3_SESSION_TOKEN: 's3.sessionToken',
  LAKEDUEL_S3_BUCKET: 's3.bucket',
  LAKEDUEL_S3_PREFIX: 's3.prefix',
  LAKEDUEL_S3_URL_STYLE: 's3.urlStyle',
  LAKEDUEL_S3_PORT: 's3.port',
  LAKEDUEL_POSTGRES: 'postgres.url',
  LAKEDUEL_POSTGRES_PORT: 'postgres.port',
}

/** Variables that are read elsewhere, so that they are no unknown keys: the config file's own path, and an armed fault. */
const OTHER_VARIABLES = ['LAKEDUEL_CONFIG', 'LAKEDUEL_FAULT', 'LAKEDUEL_DUCKDB_FROM']

/** The variables of AWS's and Postgres's own tools, later ones first in rank. They rank below LAKEDUEL_*. */
const STANDARD_VARIABLES: readonly (readonly [name: string, path: string])[] = [
  ['AWS_DEFAULT_REGION', 's3.region'],
  ['AWS_REGION', 's3.region'],
  ['AWS_ACCESS_KEY_ID', 's3.accessKeyId'],
  ['AWS_SECRET_ACCESS_KEY', 's3.secretAccessKey'],
  ['AWS_SESSION_TOKEN', 's3.sessionToken'],
  ['AWS_ENDPOINT_URL', 's3.endpoint'],
  ['AWS_ENDPOINT_URL_S3', 's3.endpoint'],
  ['PGHOST', 'postgres.host'],
  ['PGPORT', 'postgres.port'],
  ['PGUSER', 'postgres.user'],
  ['PGPASSWORD', 'postgres.password'],
  ['PGDATABASE', 'postgres.database'],
  ['PGSSLMODE', 'postgres.sslmode'],
]

/** Variables of the test suite, which configure no run. */
const TEST_PREFIX = 'LAKEDUEL_TEST_'

/** Settings of sources, which `pipeline/sources/config.ts` reads. */
const SOURCE_PREFIX = 'LAKEDUEL_SOURCE_'

/** A setting and where it was read. */
export interface Setting {
  readonly path: string
  readonly value: unknown
  readonly source: string
}

/**
 * The settings in the environment, in rising rank. Empty variables count as unset, as shells make it hard to unset one.
 * @throws LakeduelError `CONFIG_INVALID` for an unknown LAKEDUEL_* variable
 */
export function settingsFromEnvironment(env: NodeJS.ProcessEnv): readonly Setting[] {
  const known = [...Object.keys(LAKEDUEL_VARIABLES), ...OTHER_VARIABLES]
  for (const name of Object.keys(env)) {
    const isElsewhere = name.startsWith(TEST_PREFIX) || name.startsWith(SOURCE_PREFIX)
    if (name.startsWith('LAKEDUEL_') && !isElsewhere && !known.includes(name)) {
      throw unknownKey(name, known, 'the environment')
    }
  }
  return [...standardSettings(env), ...pickSettings(env, Object.entries(LAKEDUEL_VARIABLES))]
}

function standardSettings(env: NodeJS.ProcessEnv): readonly Setting[] {
  const settings = pickSettings(env, STANDARD_VARIABLES)
  // LAKEDUEL_POSTGRES names a whole server: parts of another one, which PG* may describe, must not be mixed into it.
  return env.LAKEDUEL_POSTGRES ? settings.filter(({ path }) => !path.startsWith('postgres.')) : settings
}

function pickSettings(
  env: NodeJS.ProcessEnv,
  names: readonly (readonly [string, string])[],
): readonly Setting[] {
  return names.flatMap(([name, path]) => (env[name] ? [{ path, value: env[name], source: name }] : []))
}
