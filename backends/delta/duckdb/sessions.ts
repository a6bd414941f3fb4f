import { createS3Secret, secretsOf } from '../../../platform/duckdb/attach.ts'
import { DuckDbSession } from '../../../platform/duckdb/session.ts'
import { sessionSettings } from '../../../platform/duckdb/session-settings.ts'
import type { BackendEnvironment } from '../../backend.ts'
import type { DuckDbSettings } from './settings.ts'

/** Sessions of one DuckDB; the first one closes the others. */
export type Sessions = readonly [DuckDbSession, ...DuckDbSession[]]

/** As many as the files that are written at once. */
export async function openSessions(
  environment: BackendEnvironment,
  settings: DuckDbSettings,
): Promise<Sessions> {
  const { storage, catalog } = environment
  const session = await DuckDbSession.open({
    extensionPaths: environment.duckdbExtensions,
    extensions: storage.kind === 's3' ? ['httpfs'] : [],
    // A file is read twice: its keys, and if one of them is in the batch, all of it.
    settings: sessionSettings({ ...settings, parquetMetadataCache: true }, environment),
    secrets: secretsOf(storage, catalog.postgres),
  })
  try {
    if (storage.kind === 's3') await createS3Secret(session, storage.endpoint)
    const others: DuckDbSession[] = []
    while (others.length < settings.parallelFiles - 1) others.push(await session.beside())
    return [session, ...others]
  } catch (error) {
    await session.close()
    throw error
  }
}

/**
 * Does something for each item, on as many sessions at once as are given; when one fails, the others finish what they do.
 * A session occupies a thread of its own, so DuckDB is left the others only: two threads for one small file take twice
 * the time of a processor that one takes.
 * @param threads that may be busy at once
 */
export async function eachOnSessions<Item, Result>(
  sessions: readonly DuckDbSession[],
  threads: number,
  items: readonly Item[],
  action: (session: DuckDbSession, item: Item) => Promise<Result>,
): Promise<readonly Result[]> {
  const [first] = sessions
  const used = sessions.slice(0, items.length)
  await first?.set('threads', Math.max(1, threads - used.length + 1))
  try {
    return await dealtOut(used, items, action)
  } finally {
    await first?.set('threads', threads)
  }
}

async function dealtOut<Item, Result>(
  sessions: readonly DuckDbSession[],
  items: readonly Item[],
  action: (session: DuckDbSession, item: Item) => Promise<Result>,
): Promise<readonly Result[]> {
  const results: Result[] = []
  const queue = [...items]
  let hasFailed = false
  const worked = await Promise.allSettled(
    sessions.map(async (session) => {
      for (let item = queue.shift(); item !== undefined && !hasFailed; item = queue.shift()) {
        try {
          results.push(await action(session, item))
        } catch (error) {
          hasFailed = true
          throw error
        }
      }
    }),
  )
  const failed = worked.find((outcome) => outcome.status === 'rejected')
  if (failed !== undefined) throw failed.reason
  return results
}
