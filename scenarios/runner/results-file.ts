import { appendFile, mkdir, open, readFile, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { errorCode } from '../../platform/disk.ts'
import { LakeduelError, messageOf } from '../../platform/errors.ts'
import type { LogRecord, Results } from '../../reports/schema.ts'
import { logLine, parseResults, parseResultsLog, ResultsCorruptError } from '../../reports/schema.ts'

/**
 * The results of a run on disk: a log that only grows while the run goes on, so that a kill loses the cell in hand, and
 * the whole in one file at the end.
 */
export class ResultsFile {
  readonly path: string
  readonly #log: string
  readonly #folder: string

  constructor(folder: string) {
    this.#folder = folder
    this.path = join(folder, 'results.json')
    this.#log = join(folder, 'results.ndjson')
  }

  /** Begins a log with what is known already. One that was cut off in its last line goes on in a new one. */
  async begin(results: Results): Promise<void> {
    await mkdir(this.#folder, { recursive: true })
    await replace(this.#log, logLine({ record: 'start', results }))
  }

  async append(record: LogRecord): Promise<void> {
    await appendFile(this.#log, logLine(record), { flush: true })
  }

  /** Writes the whole, in one step: written beside it, flushed, renamed, so that a kill leaves the old or the new one. */
  async save(results: Results): Promise<void> {
    await mkdir(this.#folder, { recursive: true })
    await replace(this.path, `${JSON.stringify(results, null, 2)}\n`)
  }

  /**
   * The log where there is one, since it is never behind, else the whole.
   * @throws LakeduelError `RESULTS_CORRUPT` when there is neither, or it is no JSON, or holds a wrong field
   */
  async load(): Promise<Results> {
    const log = await readFile(this.#log, 'utf8').catch(() => null)
    if (log !== null) return parsedResults(this.#log, () => parseResultsLog(log))
    const text = await readFile(this.path, 'utf8').catch((cause: unknown) => {
      throw new LakeduelError(
        'RESULTS_CORRUPT',
        `There is no readable results file at ${this.path}${reasonOf(cause)}.`,
        {
          facts: { path: this.path },
          remedy: 'Give the folder of a run, the one that holds its results.json or results.ndjson.',
          cause,
        },
      )
    })
    return parsedResults(this.path, () => parseResults(text))
  }
}

/**
 * What `parse` makes of the file at a path.
 * @throws LakeduelError `RESULTS_CORRUPT` naming the path and the field that is wrong
 */
export function parsedResults(path: string, parse: () => Results): Results {
  try {
    return parse()
  } catch (error) {
    if (!(error instanceof ResultsCorruptError)) throw error
    throw new LakeduelError('RESULTS_CORRUPT', `${error.message} (${path})`, {
      facts: { path, field: error.path },
      remedy: error.remedy,
      cause: error,
    })
  }
}

async function replace(path: string, text: string): Promise<void> {
  const unfinished = `${path}.writing`
  const file = await open(unfinished, 'w')
  try {
    await file.writeFile(text)
    await file.sync()
  } finally {
    await file.close()
  }
  await rename(unfinished, path)
}

/** Why a file that is there can't be read; nothing of one that isn't. */
export function reasonOf(cause: unknown): string {
  return cause === undefined || errorCode(cause) === 'ENOENT' ? '' : ` (${messageOf(cause)})`
}
