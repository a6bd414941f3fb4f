import type { Client } from 'pg'

/** Twelve columns of mixed types, some 110 bytes a row: what an orders table of a shop looks like. */
const COLUMNS = `
  id bigint PRIMARY KEY, customer_id int NOT NULL, status text NOT NULL, currency char(3) NOT NULL,
  amount numeric(12,2) NOT NULL, tax numeric(12,2), quantity smallint NOT NULL, weight double precision,
  paid boolean NOT NULL, created_at timestamptz NOT NULL, shipped_on date, note text`

const ROWS = `
  SELECT i, (i * 7919) % 200003, (ARRAY['new','paid','shipped','returned'])[1 + i % 4], (ARRAY['EUR','USD','GBP'])[1 + i % 3],
    ((i * 31) % 1000000)::numeric / 100, CASE WHEN i % 10 = 0 THEN NULL ELSE ((i * 17) % 20000)::numeric / 100 END,
    (1 + i % 12)::smallint, CASE WHEN i % 7 = 0 THEN NULL ELSE (i % 5000) / 37.0 END, i % 4 <> 0,
    timestamptz '2024-01-01' + i * interval '13 seconds', CASE WHEN i % 4 = 2 THEN date '2024-01-02' + (i / 6646)::int END,
    CASE WHEN i % 5 = 0 THEN 'note ' || md5(i::text) END
  FROM generate_series($1::bigint, $2::bigint) AS i`

const STEP = 250_000

/** Makes and fills the table `narrow`. */
export async function makeNarrowTable(
  client: Client,
  rows: number,
  onProgress: (done: number) => void,
): Promise<void> {
  await client.query(`CREATE TABLE narrow (${COLUMNS})`)
  for (let from = 1; from <= rows; from += STEP) {
    const to = Math.min(rows, from + STEP - 1)
    await client.query(`INSERT INTO narrow ${ROWS}`, [from, to])
    onProgress(to)
  }
  await client.query('VACUUM ANALYZE narrow')
}

/** A view whose rows are computed when they are read: `rows` of JSON text of `bytes` each, so that no disk holds them. */
export async function makeWideView(client: Client, rows: number, bytes: number): Promise<void> {
  await client.query(
    `CREATE VIEW wide AS SELECT i AS id, '2026-01-01'::timestamptz + i * interval '1 minute' AS created_at,
       ('{"id":' || i || ',"lines":["' || repeat(md5(i::text) || md5((i * 3)::text) || '","', ${Math.ceil(bytes / 67)}) || '"]}')::text AS document
     FROM generate_series(1::bigint, ${rows}::bigint) AS i`,
  )
}
