/**
 * The tables of the state, as steps that each version added. A step that was released is never changed: a later one
 * changes what it made. That holds for the shapes within `json` columns, too: where a field is added to `RunSpec` or
 * `BatchRecord`, a step fills it in for the runs that are there.
 *
 * Values that only others understand (cursors, marks, keys, failures) are `json` and not `jsonb`, which refuses texts
 * with NUL and half surrogate pairs. Moments are those of the database, by `clock_timestamp()`, never of a machine.
 */
export const STEPS: readonly string[] = [
  `
  CREATE TABLE runs (
    run_id text PRIMARY KEY,
    -- lake/format/table: arms of one format write the same table.
    destination text NOT NULL,
    spec jsonb NOT NULL,
    status text NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'done', 'failed', 'cancelled')),
    extracted boolean NOT NULL DEFAULT false,
    next_batch_index int NOT NULL DEFAULT 0,
    -- The last page whose rows are in a batch; what the spool holds comes after it.
    spooled_through int NOT NULL DEFAULT 0,
    resume_cursor json,
    mark json,
    columns json NOT NULL DEFAULT '[]',
    partition json,
    pages bigint NOT NULL DEFAULT 0,
    rows_staged bigint NOT NULL DEFAULT 0,
    bytes_staged bigint NOT NULL DEFAULT 0,
    batches_committed bigint NOT NULL DEFAULT 0,
    rows_committed bigint NOT NULL DEFAULT 0,
    bytes_committed bigint NOT NULL DEFAULT 0,
    rows_dead bigint NOT NULL DEFAULT 0,
    failure json,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    finished_at timestamptz
  );
  -- A failed run still has batches in the line of its table, so it stands in the way as an active one does.
  CREATE UNIQUE INDEX runs_unfinished ON runs (destination) WHERE status IN ('active', 'failed');
  CREATE INDEX runs_by_age ON runs (created_at DESC);

  CREATE TABLE leases (
    run_id text PRIMARY KEY REFERENCES runs ON DELETE CASCADE,
    token bigint NOT NULL,
    -- Of the call that took the lease, so that the call finds out that it did when the answer was lost.
    nonce uuid NOT NULL,
    -- Null when it was given back.
    owner json,
    ttl interval NOT NULL,
    expires_at timestamptz NOT NULL
  );

  -- Not logged, as it is written for each page and holds copies of what the source still has: after a crash of
  -- Postgres itself it is empty, and its pages are read again.
  CREATE UNLOGGED TABLE spool (
    run_id text NOT NULL,
    page_no int NOT NULL,
    -- Compressed by the writer.
    rows bytea NOT NULL,
    cursor json,
    mark json,
    PRIMARY KEY (run_id, page_no)
  );
  ALTER TABLE spool ALTER COLUMN rows SET STORAGE EXTERNAL;

  CREATE TABLE work (
    -- Also the id of its job in the queue.
    work_id uuid PRIMARY KEY,
    queue text NOT NULL,
    run_id text NOT NULL REFERENCES runs ON DELETE CASCADE,
    kind text NOT NULL CHECK (kind IN ('batch', 'finish', 'compaction', 'trigger', 'clean-up')),
    -- The batch's own, and for 'finish' the one after the last batch.
    batch_index int,
    record json,
    trigger json,
    rows bigint NOT NULL DEFAULT 0,
    bytes bigint NOT NULL DEFAULT 0,
    status text NOT NULL DEFAULT 'open' CHECK (status IN ('open', 'done', 'dead', 'cancelled')),
    -- Which time of being claimed this is; it rises with each, and a claim with a lower one changes nothing any more.
    claim int,
    owner json,
    ttl interval,
    expires_at timestamptz,
    failed_claim int,
    attempts int NOT NULL DEFAULT 0,
    losses int NOT NULL DEFAULT 0,
    failure json,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    finished_at timestamptz,
    UNIQUE (run_id, batch_index)
  );
  CREATE INDEX work_unfinished ON work (run_id) WHERE status IN ('open', 'dead');

  CREATE TABLE dead_rows (
    run_id text NOT NULL REFERENCES runs ON DELETE CASCADE,
    batch_index int NOT NULL,
    key json,
    payload_bytes bigint NOT NULL,
    reason text NOT NULL,
    part_uri text NOT NULL,
    found_at timestamptz NOT NULL DEFAULT clock_timestamp()
  );
  CREATE INDEX dead_rows_by_run ON dead_rows (run_id);

  CREATE TABLE tables (
    destination text PRIMARY KEY,
    columns json NOT NULL,
    primary_key json NOT NULL,
    partition json,
    mark json,
    run_id text NOT NULL,
    updated_at timestamptz NOT NULL DEFAULT clock_timestamp()
  );
  `,
  `
  -- Losses that don't count any more for giving work up, since somebody started its sync again. All losses go on
  -- counting for how small a batch is begun.
  ALTER TABLE work ADD COLUMN forgiven int NOT NULL DEFAULT 0;
  `,
]
