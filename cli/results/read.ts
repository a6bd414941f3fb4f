import { readFile, stat } from 'node:fs/promises'
import { extname } from 'node:path'
import { LakeduelError } from '../../platform/errors.ts'
import { parseResults, parseResultsLog, type Results } from '../../reports/schema.ts'
import { parsedResults, ResultsFile, reasonOf } from '../../scenarios/runner/results-file.ts'
import { isS3Address, readS3Object } from './s3-object.ts'

/**
 * The results in a file or an object (`s3://bucket/key`), the log of a run (`.ndjson`), or the folder of a run.
 * @throws LakeduelError `RESULTS_CORRUPT` when there are none, or they can't be read; `S3_…` when the object store says no
 */
export async function readResults(path: string): Promise<Results> {
  if (isS3Address(path)) return resultsIn(path, (await readS3Object(path)) ?? noResults(path))
  const entry = await stat(path).catch((cause: unknown) => noResults(path, cause))
  if (entry.isDirectory()) return await new ResultsFile(path).load()
  const text = await readFile(path, 'utf8').catch((cause: unknown) => noResults(path, cause))
  return resultsIn(path, text)
}

function resultsIn(path: string, text: string): Results {
  return parsedResults(path, () => (extname(path) === '.ndjson' ? parseResultsLog(text) : parseResults(text)))
}

function noResults(path: string, cause?: unknown): never {
  throw new LakeduelError('RESULTS_CORRUPT', `There are no readable results at ${path}${reasonOf(cause)}.`, {
    facts: { path },
    remedy:
      'Give a results.json, a results.ndjson, the folder of a run, or the s3:// address of a results file.',
    cause,
  })
}
