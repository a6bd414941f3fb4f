/** A process that moves or follows a table and is killed on the way: it takes a {@link Job} on stdin. */

import { text } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { execa } from 'execa'
import { followTable } from '../../migrate/follow/follow.ts'
import { type Lake, openLake } from '../../migrate/lake/lake.ts'
import type { TableName } from '../../migrate/lake/table-name.ts'
import type { CatalogLocation } from '../../migrate/lake/target.ts'
import { migrateTable } from '../../migrate/migrate.ts'
import type { MoveOptions } from '../../migrate/move/move.ts'
import { parseLocation } from '../../migrate/source/location.ts'
import { openSource, type SourceAccess } from '../../migrate/source/open.ts'

/** The moment of a kill: before a statement, or so many milliseconds after it began. Statements are counted from 1. */
export interface Moment {
  readonly statement: number
  readonly afterMs: number | null
}

export interface Job {
  readonly access: SourceAccess
  readonly location: CatalogLocation
  readonly dataPath: string
  readonly uri: string
  readonly target: TableName
  /** Null to follow a table that was moved before. */
  readonly move: MoveOptions | null
}

/** Runs a job to its end, as a run after a kill does. */
export async function runJob({ access, location, dataPath, uri, target, move }: Job, moment: Moment | null) {
  await using lake = await openLake(location, access, { dataPath, readOnly: false })
  const statements = countStatements(lake, moment)
  await using source = await openSource(parseLocation(uri), access, lake.session)
  if (move === null) {
    const options = { everyMs: null, signal: new AbortController().signal }
    await followTable(source, lake, target, options, () => undefined)
  } else {
    const options = { ...move, verify: false, rowByRow: false, keepUnproved: false }
    await migrateTable({ ...access, python: '' }, source, lake, target, options, () => undefined)
  }
  return statements()
}

/** @returns how many statements there were so far */
function countStatements({ session }: Lake, moment: Moment | null): () => number {
  let count = 0
  const run = session.run.bind(session)
  session.run = async (sql, values) => {
    count += 1
    if (count !== moment?.statement) return run(sql, values)
    if (moment.afterMs === null) return die()
    void run(sql, values).catch(() => undefined)
    await sleep(moment.afterMs)
    return die()
  }
  return () => count
}

function die(): Promise<never> {
  process.kill(process.pid, 'SIGKILL')
  return new Promise(() => undefined)
}

/** Runs a job in a process of its own. Returns its statements, or null where it was killed. */
export async function runJobApart(job: Job, moment: Moment | null): Promise<number | null> {
  const input = JSON.stringify({ job, moment })
  const path = fileURLToPath(import.meta.url)
  const ended = await execa(process.execPath, [path], { input, reject: false })
  if (ended.signal === 'SIGKILL') return null
  if (ended.exitCode !== 0) throw new Error(ended.stderr)
  return Number(ended.stdout)
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const input: { readonly job: Job; readonly moment: Moment | null } = JSON.parse(await text(process.stdin))
  process.stdout.write(String(await runJob(input.job, input.moment)))
}
