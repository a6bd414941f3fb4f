import type { DuckDbSession } from '../../platform/duckdb/session.ts'
import { literal } from '../../platform/duckdb/sql.ts'
import { DeletionVectorReader } from '../log/deletion-vectors/deletion-vectors.ts'
import { commitKey } from '../log/log.ts'
import type { FilePlan } from '../plan/file-plan.ts'
import type { DeltaSource } from '../source/source.ts'

/** The session's table of deleted rows: `file` as DuckDB names it, `position` in it from 0. */
export const DELETED = 'lakeduel_deleted'

/** Positions in one statement. */
const POSITIONS_PER_STATEMENT = 50_000

/** The rows that the deletion vectors of a table delete, brought to DuckDB for some files at a time. */
export class DeletedRows {
  readonly #reader: DeletionVectorReader
  readonly #logFile: string

  constructor(source: DeltaSource, version: number) {
    this.#reader = new DeletionVectorReader(source)
    this.#logFile = commitKey(version)
  }

  /**
   * Fills {@link DELETED} with those of the files, and nothing else.
   * @param nameOf how the session that deletes them names a file
   * @returns how many there are
   */
  async load(
    session: DuckDbSession,
    files: readonly FilePlan[],
    nameOf: (file: FilePlan) => string = ({ file }) => file.uri,
  ): Promise<number> {
    await session.run(`CREATE OR REPLACE TEMP TABLE ${DELETED} (file VARCHAR, position BIGINT)`)
    let count = 0
    for (const file of files) {
      const { deletionVector } = file.file
      if (deletionVector === null) continue
      const positions = await this.#reader.positions(deletionVector, this.#logFile)
      await insertPositions(session, nameOf(file), positions)
      count += positions.length
    }
    return count
  }
}

/** Puts positions of a file into {@link DELETED}. */
export async function insertPositions(
  session: DuckDbSession,
  file: string,
  positions: readonly number[],
): Promise<void> {
  for (let from = 0; from < positions.length; from += POSITIONS_PER_STATEMENT) {
    const some = positions.slice(from, from + POSITIONS_PER_STATEMENT)
    await session.run(`INSERT INTO ${DELETED} SELECT ${literal(file)}, unnest([${some.join(',')}]::BIGINT[])`)
  }
}
