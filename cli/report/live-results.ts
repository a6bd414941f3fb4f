import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { messageOf } from '../../platform/errors.ts'
import { plural } from '../../reports/format.ts'
import type { Live } from '../../reports/html/live.ts'
import { renderWaiting } from '../../reports/html/live.ts'
import { renderHtml } from '../../reports/html.ts'
import type { Results } from '../../reports/schema.ts'
import { readResults } from '../results/read.ts'

/** How the files of a run stand: another text whenever one of them has changed. */
export async function versionOf(path: string): Promise<string> {
  const files = [path, join(path, 'results.ndjson'), join(path, 'results.json')]
  const states = files.map(async (file) => {
    const state = await stat(file).catch(() => null)
    return state?.isFile() === true ? `${state.size}-${state.mtimeMs}` : ''
  })
  return (await Promise.all(states)).join('/')
}

/** The page of a run as it stands; where it can't be read, what is wrong. */
export async function livePage(path: string, version: string): Promise<string> {
  try {
    const results = await readResults(path)
    return renderHtml(results, { live: { version, status: statusOf(results) } })
  } catch (error) {
    const live: Live = { version, status: 'This page shows the results as soon as there are some.' }
    return renderWaiting(live, messageOf(error))
  }
}

function statusOf({ run, cells }: Results): string {
  const count = plural(cells.length, 'cell')
  return run.finishedAt === null
    ? `The run goes on: ${count} so far. This page follows it.`
    : `The run has ended, with ${count}.`
}
