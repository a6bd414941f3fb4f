import type { Client } from 'pg'
import { z } from 'zod'
import { LakeduelError } from '../../../platform/errors.ts'
import type { PostgresConfig } from './config.ts'

const columnRowSchema = z.object({
  relation: z.coerce.number(),
  name: z.string(),
  notNull: z.boolean(),
  /** As SQL writes it, with the schema where it has to: `numeric(10,2)`, `public.mood`. */
  declared: z.string(),
  /** The type beneath the domains: its name, whether Postgres itself brings it, `pg_type.typtype` and `typcategory`. */
  base: z.string(),
  builtIn: z.boolean(),
  baseKind: z.string(),
  category: z.string(),
  modifier: z.coerce.number(),
})
export type CatalogColumn = Readonly<Omit<z.infer<typeof columnRowSchema>, 'relation'>>

const indexRowSchema = z.object({
  relation: z.coerce.number(),
  columns: z.array(z.string()),
  primary: z.boolean(),
  unique: z.boolean(),
  /** Whether a scan of it yields the order of `ORDER BY` its columns, forwards or backwards. */
  ordered: z.boolean(),
})
export type CatalogIndex = Readonly<Omit<z.infer<typeof indexRowSchema>, 'relation'>>

const relationRowSchema = z.object({
  oid: z.coerce.number(),
  schema: z.string(),
  name: z.string(),
  /** `pg_class.relkind`: r table, p partitioned table, v view, m materialised view, f foreign table. */
  kind: z.enum(['r', 'p', 'v', 'm', 'f']),
  isPartition: z.boolean(),
  /** Whether tables inherit from it, other than as partitions: their rows are its rows, and its keys don't count for them. */
  hasHeirs: z.boolean(),
  estimatedRows: z.coerce.number(),
  /** Names the file that the rows lie in: what rewrites a table gives it another one. */
  fileNode: z.coerce.number(),
})

export interface CatalogRelation extends Readonly<z.infer<typeof relationRowSchema>> {
  readonly columns: readonly CatalogColumn[]
  /** Valid btree indexes of plain columns without a condition. */
  readonly indexes: readonly CatalogIndex[]
}

const RELATIONS = `
  SELECT c.oid, n.nspname AS schema, c.relname AS name, c.relkind AS kind, c.relispartition AS "isPartition",
    c.relkind = 'r' AND EXISTS (SELECT FROM pg_catalog.pg_inherits AS i WHERE i.inhparent = c.oid) AS "hasHeirs", c.relfilenode AS "fileNode",
    CASE WHEN c.relkind = 'p'
      THEN coalesce((SELECT sum(greatest(leaf.reltuples, 0))
        FROM pg_catalog.pg_partition_tree(c.oid) AS part JOIN pg_catalog.pg_class AS leaf ON leaf.oid = part.relid
        WHERE part.isleaf), -1)
      ELSE c.reltuples END AS "estimatedRows"
  FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
  WHERE n.nspname = ANY($1) AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
  ORDER BY n.nspname, c.relname`

const COLUMNS = `
  SELECT a.attrelid AS relation, a.attname AS name, a.attnotnull AS "notNull",
    pg_catalog.format_type(a.atttypid, a.atttypmod) AS declared,
    base.typname AS base, base.typnamespace = 'pg_catalog'::regnamespace AS "builtIn", base.typtype AS "baseKind",
    base.typcategory AS category, base.modifier
  FROM pg_catalog.pg_attribute AS a
  CROSS JOIN LATERAL (
    WITH RECURSIVE resolved AS (
      SELECT t.*, a.atttypmod AS modifier FROM pg_catalog.pg_type AS t WHERE t.oid = a.atttypid
      UNION ALL
      SELECT t.*, CASE WHEN r.typtypmod = -1 THEN r.modifier ELSE r.typtypmod END
      FROM resolved AS r JOIN pg_catalog.pg_type AS t ON t.oid = r.typbasetype WHERE r.typtype = 'd')
    SELECT * FROM resolved WHERE typtype <> 'd') AS base
  WHERE a.attrelid = ANY($1::oid[]) AND a.attnum > 0 AND NOT a.attisdropped
  ORDER BY a.attrelid, a.attnum`

const INDEXES = `
  SELECT i.indrelid AS relation, i.indisprimary AS primary, i.indisunique AS unique,
    ARRAY(SELECT a.attname::text FROM unnest(i.indkey::int2[]) WITH ORDINALITY AS k(attnum, place)
      JOIN pg_catalog.pg_attribute AS a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
      WHERE k.place <= i.indnkeyatts ORDER BY k.place) AS columns,
    (SELECT count(DISTINCT o.option & 1) = 1 FROM unnest(i.indoption::int2[]) AS o(option))
      AND NOT EXISTS (SELECT FROM unnest(i.indclass::oid[]) AS used(oid)
        JOIN pg_catalog.pg_opclass AS class ON class.oid = used.oid WHERE NOT class.opcdefault) AS ordered
  FROM pg_catalog.pg_index AS i
  JOIN pg_catalog.pg_class AS c ON c.oid = i.indexrelid
  JOIN pg_catalog.pg_am AS method ON method.oid = c.relam
  WHERE i.indrelid = ANY($1::oid[]) AND method.amname = 'btree'
    AND i.indisvalid AND i.indpred IS NULL AND i.indexprs IS NULL
  ORDER BY i.indisprimary DESC, i.indnkeyatts, i.indexrelid`

export async function serverEncoding(client: Client): Promise<string> {
  const { rows } = await client.query('SHOW server_encoding')
  return z.tuple([z.object({ server_encoding: z.string() })]).parse(rows)[0].server_encoding
}

/** @throws LakeduelError `CONFIG_INVALID` where a schema isn't there or may not be looked into */
export async function assertSchemas(client: Client, { schemas, user }: PostgresConfig): Promise<void> {
  const { rows } = await client.query(
    `SELECT nspname AS name, pg_catalog.has_schema_privilege(oid, 'USAGE') AS open
     FROM pg_catalog.pg_namespace WHERE nspname = ANY($1)`,
    [schemas],
  )
  const found = z.array(z.object({ name: z.string(), open: z.boolean() })).parse(rows)
  const missing = schemas.filter((schema) => !found.some(({ name }) => name === schema))
  const closed = found.filter(({ open }) => !open).map(({ name }) => name)
  if (missing.length === 0 && closed.length === 0) return
  const problem =
    missing.length > 0
      ? `There is no schema ${missing.join(', ')} in the database.`
      : `User ${user} may not use the schema ${closed.join(', ')}.`
  throw new LakeduelError('CONFIG_INVALID', problem, {
    facts: { missing, closed },
    remedy:
      missing.length > 0 ? 'Correct `schemas`.' : `GRANT USAGE ON SCHEMA ${closed.join(', ')} TO "${user}".`,
  })
}

/** What the file of a table went through, as the server counts it. */
export const fileStateSchema = z.strictObject({
  fileNode: z.number(),
  updates: z.number(),
  deletes: z.number(),
  /** When the server was started: after a crash it counts from zero. */
  countedSince: z.string(),
})
export type FileState = Readonly<z.infer<typeof fileStateSchema>>

/** Null on a replica, which counts nothing of what it replays. */
export async function readFileState(
  client: Client,
  { oid, fileNode }: CatalogRelation,
): Promise<FileState | null> {
  const { rows } = await client.query(
    `SELECT pg_stat_get_tuples_updated($1)::float8 AS updates, pg_stat_get_tuples_deleted($1)::float8 AS deletes,
       pg_postmaster_start_time()::text AS "countedSince", $2::float8 AS "fileNode"
     WHERE NOT pg_is_in_recovery()`,
    [oid, fileNode],
  )
  return z.array(fileStateSchema).parse(rows)[0] ?? null
}

/** All tables and views of some schemas, partitions among them, as the catalog of the server describes them. */
export function readCatalog(client: Client, schemas: readonly string[]): Promise<readonly CatalogRelation[]> {
  return describe(client, schemas, null)
}

/** One table or view, or null where there is none of that name. */
export async function readRelation(
  client: Client,
  schema: string,
  name: string,
): Promise<CatalogRelation | null> {
  const [relation] = await describe(client, [schema], name)
  return relation ?? null
}

async function describe(
  client: Client,
  schemas: readonly string[],
  name: string | null,
): Promise<readonly CatalogRelation[]> {
  const found = await client.query(
    `SELECT * FROM (${RELATIONS}) AS relation WHERE $2::text IS NULL OR name = $2`,
    [schemas, name],
  )
  const relations = z.array(relationRowSchema).parse(found.rows)
  const oids = [relations.map(({ oid }) => oid)]
  const columns = z.array(columnRowSchema).parse((await client.query(COLUMNS, oids)).rows)
  const indexes = z.array(indexRowSchema).parse((await client.query(INDEXES, oids)).rows)
  const columnsOf = Map.groupBy(columns, ({ relation }) => relation)
  const indexesOf = Map.groupBy(indexes, ({ relation }) => relation)
  return relations.map((relation) => ({
    ...relation,
    columns: columnsOf.get(relation.oid) ?? [],
    indexes: indexesOf.get(relation.oid) ?? [],
  }))
}
