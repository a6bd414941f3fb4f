import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { Random } from '../../pipeline/sources/random.ts'
import { type History, type HistoryOptions, historyOf } from '../../reports/history.ts'
import type { Results } from '../../reports/schema.ts'

const SIGNIFICANCE = 0.01
const PERMUTATIONS = 499
const SEED = 1

/** What some runs tell, one after the other; the same runs tell the same each time. */
export function historyFrom(
  runs: readonly Results[],
  chosen: Pick<HistoryOptions, 'patterns' | 'mixed'>,
): History {
  return historyOf(runs, {
    ...chosen,
    significance: SIGNIFICANCE,
    permutations: PERMUTATIONS,
    random: () => {
      const random = new Random(SEED)
      return () => random.share()
    },
  })
}

/** The results that a folder keeps by their dates, as `lakeduel history add` does; empty where there is no such folder. */
export async function keptFiles(folder: string): Promise<readonly string[]> {
  const names = await readdir(folder).catch(() => [])
  return names
    .filter((name) => name.endsWith('.json'))
    .toSorted()
    .map((name) => join(folder, name))
}

/** The paths, with the files of a history in place of its folder. The folder of a run is left as it is. */
export async function withKeptFiles(paths: readonly string[]): Promise<readonly string[]> {
  const expanded = paths.map(async (path) => {
    const isFolder = (await stat(path).catch(() => null))?.isDirectory() ?? false
    if (!isFolder || (await isRun(path))) return [path]
    const kept = await keptFiles(path)
    return kept.length === 0 ? [path] : kept
  })
  return (await Promise.all(expanded)).flat()
}

async function isRun(folder: string): Promise<boolean> {
  const names: readonly string[] = await readdir(folder).catch(() => [])
  return names.includes('results.json') || names.includes('results.ndjson')
}
