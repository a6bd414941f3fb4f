import { type Followed, followTable, type Lag } from '../../migrate/follow/follow.ts'
import { parseTableName, sqlName } from '../../migrate/lake/table-name.ts'
import { parseLocation } from '../../migrate/source/location.ts'
import { openSource } from '../../migrate/source/open.ts'
import { loadFinished } from '../../migrate/state/state.ts'
import { interruptSignal } from '../../platform/interrupt.ts'
import { formatDuration, plural } from '../../reports/format.ts'
import { print } from '../source/print.ts'
import { type LakeCliOptions, openTarget } from './lake-options.ts'
import { openMigrateSurroundings } from './surroundings.ts'

export interface FollowCliOptions extends LakeCliOptions {
  readonly table: string
  readonly every: number
  readonly once?: boolean
  readonly maxMemory?: number
  readonly config?: string
  readonly json?: boolean
}

/** `lakeduel migrate follow`: Ctrl-C is how it ends, between two versions. */
export async function follow(options: FollowCliOptions): Promise<void> {
  const signal = interruptSignal()
  await using surroundings = await openMigrateSurroundings(options, signal)
  await using lake = await openTarget(surroundings, options, { readOnly: false })
  const target = parseTableName(options.table)
  const { source: followedSource } = await loadFinished(lake, target)
  await using source = await openSource(parseLocation(followedSource.uri), surroundings, lake.session)
  const everyMs = options.once === true ? null : options.every
  const followed = await followTable(source, lake, target, { everyMs, signal }, showChanges(options.table))
  const { version, latestVersion, lagMs, applied, state } = followed
  const data = {
    ...target,
    migration: state.id,
    source: state.source.uri,
    version,
    latestVersion,
    lagMs,
    applied,
  }
  print(options, data, describe(sqlName(target), followed))
}

/** Shows the lag where it is another one than before, a line each time, on stderr. */
function showChanges(table: string): (lag: Lag) => void {
  let shown = ''
  return (lag) => {
    const state = `${lag.version}/${lag.latestVersion}`
    if (state === shown) return
    shown = state
    process.stderr.write(`${table}: ${lagText(lag)}\n`)
  }
}

/** How far behind a table is, such as `version 12 of 15, 3 versions and 4.2 s behind`. */
export function lagText({ version, latestVersion, lagMs }: Lag): string {
  const behind = latestVersion - version
  const lag = behind === 0 ? 'nothing' : `${plural(behind, 'version')} and ${formatDuration(lagMs)}`
  return `version ${version} of ${latestVersion}, ${lag} behind`
}

function describe(name: string, followed: Followed): string {
  const { state, applied } = followed
  return `${name} follows ${state.source.uri}: ${plural(applied, 'version')} applied, ${lagText(followed)}.`
}
