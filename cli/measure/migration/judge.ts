import { openLake } from '../../../migrate/lake/lake.ts'
import { DeltaLog } from '../../../migrate/log/log.ts'
import { readSnapshot } from '../../../migrate/log/snapshot.ts'
import { planColumns } from '../../../migrate/plan/columns.ts'
import { parseLocation } from '../../../migrate/source/location.ts'
import { openSource } from '../../../migrate/source/open.ts'
import type { Proof } from '../../../migrate/verify/proof.ts'
import type { ReaderAccess } from '../../../migrate/verify/readers.ts'
import { verifyTable } from '../../../migrate/verify/verify.ts'
import { messageOf } from '../../../platform/errors.ts'
import { MOVED } from './contenders.ts'

/** What became of a table that a migrator says is registered. */
export interface Verdict {
  /** `not judged` where no reader can read the Delta table itself. */
  readonly outcome: 'exact' | 'wrong' | 'unreadable' | 'not judged'
  readonly why: string
}

/** Compares a table of a SQLite catalog, whoever registered it there, with the Delta table: all rows, both ways, and filters. */
export async function judge(access: ReaderAccess, uri: string, catalog: string): Promise<Verdict> {
  await using source = await openSource(parseLocation(uri), access)
  const expected = await expectedOf(source).catch((error: unknown) => messageOf(error))
  if (typeof expected === 'string') return { outcome: 'not judged', why: firstLine(expected) }
  try {
    const options = { dataPath: null, readOnly: true }
    await using lake = await openLake({ kind: 'sqlite', path: catalog }, access, options)
    const name = { schema: 'main', table: MOVED }
    const proving = { rowByRow: true, anyColumnOrder: false }
    return verdictOf(await verifyTable(access, source, lake, name, expected, proving))
  } catch (error) {
    return { outcome: 'unreadable', why: firstLine(messageOf(error)) }
  }
}

async function expectedOf(source: Parameters<typeof DeltaLog.open>[0]) {
  const snapshot = await readSnapshot(await DeltaLog.open(source), null)
  const { columns, problems } = planColumns(snapshot.table)
  return problems[0] ?? { snapshot, columns }
}

function verdictOf({ passed, verdict, readers, schema }: Proof): Verdict {
  if (passed) return { outcome: 'exact', why: verdict }
  const unread = readers.length > 0 && readers.every(({ outcome }) => outcome === 'could not read')
  if (unread) return { outcome: 'not judged', why: verdict }
  const [first] = [...schema, ...readers.flatMap(({ differences }) => differences)]
  const difference = first === undefined ? '' : ` ${first.subject}: ${first.delta}, and not ${first.lake}.`
  return { outcome: 'wrong', why: `${verdict}${difference}` }
}

function firstLine(text: string): string {
  return text.split('\n')[0] ?? ''
}
