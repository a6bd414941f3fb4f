import { execa } from 'execa'
import { inject } from 'vitest'

const PRELUDE = `
import sys
import pyarrow as pa
from deltalake import DeltaTable, write_deltalake

path = sys.argv[1]

def rows(first, last, **columns):
    """Rows with the ids from first up to last."""
    ids = range(first, last)
    return pa.table({'id': pa.array(ids, pa.int64()), 'part': [f'p{id % 3}' for id in ids], 'name': [f'n{id}' for id in ids], **columns})

def write(data, mode='append', **options):
    write_deltalake(path, data, mode=mode, **options)

def table():
    return DeltaTable(path)
`

/** Runs Python that writes to the table at a path with delta-rs: `rows(first, last)`, `write(…)` and `table()` are there. */
export async function writeWithDeltaRs(path: string, script: string): Promise<void> {
  await execa(inject('services').sidecar?.python ?? 'python3', ['-c', `${PRELUDE}\n${script}`, path])
}

/**
 * A commit of each kind that a follower has to apply: append, delete, update, merge, compaction, a new column, an overwrite of
 * a part and of all, rows taken back by RESTORE, and another schema.
 */
export const EVERY_KIND_OF_COMMIT: readonly string[] = [
  `write(rows(0, 30), partition_by=['part'])`,
  `write(rows(30, 40))`,
  `table().delete('id < 5')`,
  `table().update(predicate='id >= 35', updates={'name': "'changed'"})`,
  `table().merge(rows(38, 45), 't.id = s.id', source_alias='s', target_alias='t').when_matched_update_all().when_not_matched_insert_all().execute()`,
  `table().optimize.compact()`,
  `write(rows(45, 50, extra=pa.array([1, 2, None, 4, 5], pa.int32())), schema_mode='merge')`,
  `write(pa.table({'id': pa.array([100, 103], pa.int64()), 'part': ['p1', 'p1'], 'name': ['a', None]}), mode='overwrite', predicate="part = 'p1'", schema_mode='merge')`,
  `table().restore(6)`,
  `write(rows(0, 4), mode='overwrite', schema_mode='overwrite', partition_by=['part'])`,
  `write(pa.table({'id': ['x', 'y'], 'part': ['p0', None]}), mode='overwrite', schema_mode='overwrite', partition_by=['part'])`,
]
