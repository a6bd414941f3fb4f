/**
 * Tables and views of a PostgreSQL server, 14 or later. Words:
 * - the **key** of a table: its primary key, else its smallest unique index of columns that are never NULL, else what
 *   `keys` of the configuration names;
 * - the **order** of a read, and what a cursor of it means: `order.ts`;
 * - the **row path** hands over rows: a server-side cursor, whose rows are held by bytes (`rows.ts`, `row-feed.ts`);
 * - the **fast path** stages narrow rows as Parquet without handing them over (`parts.ts`, `ranges.ts`, `scanner.ts`);
 * - how types become lake types, alike on every path: `types.ts`.
 *
 * Everything is read in transactions that are read-only. An incremental read starts at the mark itself, so that rows with
 * equal values aren't lost, and the batch's upsert drops what it meets twice. A transaction that sets the field and
 * commits only after a read has passed its value is missed by it, as by every such read: have the field set late.
 */
import type { Source, SourceDefinition } from '../source.ts'
import { assertSchemas, readCatalog } from './catalog.ts'
import { type PostgresConfig, postgresConfigSchema } from './config.ts'
import { ReadConnection } from './connection.ts'
import { offered, sourceTableOf } from './discover.ts'
import { errorRules } from './errors.ts'
import { stageParts } from './parts.ts'
import { readRows } from './rows.ts'

export const postgres: SourceDefinition<typeof postgresConfigSchema> = {
  name: 'postgres',
  title: 'PostgreSQL',
  version: 1,
  config: postgresConfigSchema,
  secretKeys: ['password'],
  errors: errorRules,
  open: async (config) => openSource(config),
}

function openSource(config: PostgresConfig): Source {
  const closing = new AbortController()
  return {
    checkCredentials: async () => {
      await using connection = await ReadConnection.open(config, closing.signal)
      await connection.begin(config)
      await assertSchemas(connection.client, config)
    },
    discover: async () => {
      await using connection = await ReadConnection.open(config, closing.signal)
      await connection.begin(config)
      await assertSchemas(connection.client, config)
      return offered(await readCatalog(connection.client, config.schemas), config).map(sourceTableOf)
    },
    read: (request) =>
      readRows(config, { ...request, signal: AbortSignal.any([request.signal, closing.signal]) }),
    stageParts: (request, target) =>
      stageParts(config, { ...request, signal: AbortSignal.any([request.signal, closing.signal]) }, target),
    [Symbol.asyncDispose]: async () => closing.abort(new Error('The source was closed.')),
  }
}
