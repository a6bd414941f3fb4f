import { LakeduelError } from '../../platform/errors.ts'
import type { Source, SourceTable } from '../sources/source.ts'
import type { Run } from '../state/model.ts'

/**
 * The table that a run reads, as its source tells of it now.
 * @throws LakeduelError `TABLE_NOT_FOUND`, and what the source throws
 */
export async function tableOfRun(source: Source, { spec }: Run): Promise<SourceTable> {
  const { table: name } = spec.source
  const table = (await source.discover()).find((one) => one.name === name)
  if (table !== undefined) return table
  throw new LakeduelError('TABLE_NOT_FOUND', `The source has no table "${name}" any more.`, {
    facts: { table: name },
    remedy: 'See whether it was renamed or dropped; end the run with `lakeduel runs cancel` if it was.',
  })
}
