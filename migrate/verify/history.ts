import { messageOf } from '../../platform/errors.ts'
import type { Lake } from '../lake/lake.ts'
import { sqlName, type TableName } from '../lake/table-name.ts'
import type { DeltaLog } from '../log/log.ts'
import { planColumns } from '../plan/columns.ts'
import type { MigrationState } from '../state/state.ts'
import { type VersionSnapshot, versionSnapshots } from '../versions/version-snapshots.ts'
import { VersionWalk } from '../versions/walk.ts'
import { differences } from './compare.ts'
import { fingerprint } from './fingerprint.ts'
import type { ReaderVerdict } from './proof.ts'
import { kernelReader, type ReaderAccess } from './readers.ts'

/** What time travel gives in both tables. */
export interface VersionVerdict extends VersionSnapshot {
  readonly outcome: ReaderVerdict['outcome']
  readonly problem: string | null
}

/** Holds each snapshot of a history against the version that it is of, as the kernel reads it. */
export async function verifyHistory(
  access: ReaderAccess,
  log: DeltaLog,
  lake: Lake,
  name: TableName,
  state: MigrationState,
): Promise<readonly VersionVerdict[]> {
  const snapshots = new Map(
    (await versionSnapshots(lake, state.id)).map(({ version, snapshot }) => [version, snapshot]),
  )
  const verdicts: VersionVerdict[] = []
  const walk = await VersionWalk.startAt(log, state.base)
  for (;;) {
    const { version, table } = walk.current
    const snapshot = snapshots.get(version)
    if (snapshot !== undefined) {
      const columns = planColumns(table).columns.map(({ field, sql }) => ({ name: field.name, sql }))
      const reading = { source: log.source, version, columns, partitionColumns: table.partitionColumns }
      const relation = `${sqlName(name)} AT (VERSION => ${snapshot})`
      verdicts.push({ version, snapshot, ...(await compare(access, lake, relation, reading)) })
    }
    if ((await walk.next(state.version)) === null) return verdicts
  }
}

async function compare(
  access: ReaderAccess,
  lake: Lake,
  relation: string,
  reading: Parameters<typeof kernelReader.fingerprint>[1],
): Promise<Pick<VersionVerdict, 'outcome' | 'problem'>> {
  const { columns, partitionColumns } = reading
  const found = await fingerprint(lake.session, relation, columns, partitionColumns)
  try {
    const seen = await kernelReader.fingerprint(access, reading)
    const [first, ...more] = differences(seen, found, columns)
    if (first === undefined) return { outcome: 'same', problem: null }
    const { subject, delta, lake: inLake } = first
    return {
      outcome: 'different',
      problem: `${subject}: ${delta} in Delta, ${inLake} in DuckLake; ${more.length} more`,
    }
  } catch (error) {
    return { outcome: 'could not read', problem: messageOf(error).split('\n')[0] ?? '' }
  }
}
