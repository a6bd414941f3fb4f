/** The user and the database of a Postgres that lakeduel starts. */
export const USER = 'lakeduel'
export const DATABASE = 'lakeduel'

/** A setting that only servers of ours have. */
export const OWN_SERVER_SETTING = 'lakeduel.own_server'

/** Durability stays as Postgres has it: a catalog that commits without fsync would flatter DuckLake. */
export const SERVER_SETTINGS: readonly string[] = [
  'shared_preload_libraries=pg_stat_statements',
  // Each cell has a catalog schema of its own, and so some hundred statements of its own: at the default of 5,000 entries
  // a long run makes Postgres drop entries, and what is dropped is not counted.
  'pg_stat_statements.max=50000',
  // Tells a meter that nobody else wants to know of statements that it has no use for any more.
  `${OWN_SERVER_SETTING}=on`,
  'max_connections=200',
]
