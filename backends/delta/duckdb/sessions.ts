import type { DuckDbSession } from '../../../platform/duckdb/session.ts'

/** Does something for each item, on as many sessions at once as are given; when one fails, the others finish what they do. */
export async function eachOnSessions<Item, Result>(
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
