import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { errorCode } from '../../platform/disk.ts'
import { messageOf } from '../../platform/errors.ts'
import { plural } from '../../reports/format.ts'
import type { Live } from '../../reports/html/live.ts'
import { renderWaiting } from '../../reports/html/live.ts'
import { renderHtml } from '../../reports/html.ts'
import type { Results } from '../../reports/schema.ts'
import { readResults } from '../results/read.ts'

/** How the files of a run stand: another text whenever one of them has changed; empty where there is none. */
export async function versionOf(path: string): Promise<string> {
  const states = await statesOf(path)
  return states.map(({ size, mtimeMs }) => `${size}-${mtimeMs}`).join('/')
}

/** When a run last wrote, in milliseconds since 1970; null where it has no files. */
export async function writtenAtMs(path: string): Promise<number | null> {
  const states = await statesOf(path)
  return states.length === 0 ? null : Math.max(...states.map(({ mtimeMs }) => mtimeMs))
}

async function statesOf(
  path: string,
): Promise<readonly { readonly size: number; readonly mtimeMs: number }[]> {
  const files = [path, join(path, 'results.ndjson'), join(path, 'results.json')]
  const states = await Promise.all(files.map((file) => stat(file).catch(closedOrNull)))
  return states.flatMap((state) => (state?.isFile() === true ? [state] : []))
}

/** A run that nobody may look into is there all the same, and its page says so. */
const CLOSED = { size: 0, mtimeMs: 0, isFile: () => true }

function closedOrNull(error: unknown): typeof CLOSED | null {
  return errorCode(error) === 'EACCES' ? CLOSED : null
}

/**
 * The page of a run as it stands; where it can't be read, what is wrong.
 * @param isListed whether it is one of several runs, to whose list its page leads back
 */
export async function livePage(path: string, isListed: boolean): Promise<string> {
  const version = await versionOf(path)
  try {
    const results = await readResults(path)
    return renderHtml(results, { live: { version, status: statusOf(results), isListed } })
  } catch (error) {
    const status = 'This page shows the results as soon as there are some.'
    const live: Live = { version, status, isListed }
    return renderWaiting(live, messageOf(error))
  }
}

function statusOf({ run, cells }: Results): string {
  const count = plural(cells.length, 'cell')
  return run.finishedAt === null
    ? `The run goes on: ${count} so far. This page follows it.`
    : `The run has ended, with ${count}.`
}
