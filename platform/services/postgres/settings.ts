/** The user and the database of a Postgres that lakeduel starts. */
export const USER = 'lakeduel'
export const DATABASE = 'lakeduel'

/** Durability stays as Postgres has it: a catalog that commits without fsync would flatter DuckLake. */
export const SERVER_SETTINGS: readonly string[] = [
  'shared_preload_libraries=pg_stat_statements',
  'max_connections=200',
]
