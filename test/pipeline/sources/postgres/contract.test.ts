import { afterAll, beforeAll } from 'vitest'
import { postgres } from '../../../../pipeline/sources/postgres/index.ts'
import { sourceContract } from '../contract.ts'
import { TestDatabase } from './database.ts'

let database: TestDatabase
beforeAll(async () => {
  database = await TestDatabase.create()
  await database.client.query(`
    CREATE TYPE mood AS ENUM ('glad', 'sad');
    CREATE TABLE orders (id int8 PRIMARY KEY, created_at timestamptz NOT NULL DEFAULT '2024-01-01', updated_at timestamptz,
      amount numeric(12, 2), total numeric, note text, tags text[], doc jsonb, raw bytea, mood mood, day date, ok bool, ratio float8);
    INSERT INTO orders SELECT i, '2024-01-01'::timestamptz + i * interval '1 min',
      CASE WHEN i % 9 > 0 THEN '2024-01-01'::timestamptz + (i * 7919 % 3000) / 10 * interval '1 s' END, i / 3.0, i, 'note ' || i, ARRAY['a', 'b'],
      jsonb_build_object('n', i), decode(lpad(to_hex(i), 8, '0'), 'hex'), 'sad', '2024-01-01', i % 2 = 0, i / 7.0 FROM generate_series(1, 3000) AS i;
    CREATE INDEX ON orders (updated_at);
    CREATE TABLE lines (order_id int8, line int2, sku char(8), PRIMARY KEY (order_id, line));
    INSERT INTO lines SELECT i / 5, i % 5, 'sku' || i % 100 FROM generate_series(1, 2000) AS i;
    CREATE TABLE people (email text PRIMARY KEY, seen date, logins int4);
    INSERT INTO people SELECT md5(i::text) || '@example.com', '2024-01-01'::date + i % 30, i FROM generate_series(1, 700) AS i;
    CREATE TABLE logs (at timestamp, line text);
    INSERT INTO logs SELECT '2024-01-01'::timestamp + i % 50 * interval '1 s', 'line ' || i FROM generate_series(1, 1500) AS i;
    CREATE TABLE parted (id int4, region text, PRIMARY KEY (region, id)) PARTITION BY LIST (region);
    CREATE TABLE parted_eu PARTITION OF parted FOR VALUES IN ('eu');
    CREATE TABLE parted_us PARTITION OF parted FOR VALUES IN ('us');
    INSERT INTO parted SELECT i, CASE WHEN i % 2 = 0 THEN 'eu' ELSE 'us' END FROM generate_series(1, 900) AS i;
    CREATE VIEW keyed AS SELECT id, note, updated_at FROM orders WHERE id < 800;
    CREATE TABLE nothing (id int4 PRIMARY KEY);
    ANALYZE`)
})
afterAll(() => database[Symbol.asyncDispose]())

sourceContract('the Postgres source', postgres, () => database.config({ keys: { keyed: ['id'] } }), {
  pageRows: 250,
  readAheadBytes: 20_000,
})
