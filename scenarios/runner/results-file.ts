import { mkdir, open, readFile, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { LakeduelError } from '../../platform/errors.ts'
import type { Results } from '../../reports/schema.ts'
import { parseResults, ResultsCorruptError } from '../../reports/schema.ts'

/** The results of a run on disk. Saved after each cell, so that a crash loses one. */
export class ResultsFile {
  readonly path: string
  readonly #folder: string

  constructor(folder: string) {
    this.#folder = folder
    this.path = join(folder, 'results.json')
  }

  /** Replaces the file in one step: written beside it, flushed, renamed, so that a kill leaves the old or the new one. */
  async save(results: Results): Promise<void> {
    await mkdir(this.#folder, { recursive: true })
    const unfinished = `${this.path}.writing`
    const file = await open(unfinished, 'w')
    try {
      await file.writeFile(`${JSON.stringify(results, null, 2)}\n`)
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(unfinished, this.path)
  }

  /** @throws LakeduelError `RESULTS_CORRUPT` when the file is missing, is no JSON, or holds a wrong field */
  async load(): Promise<Results> {
    const text = await readFile(this.path, 'utf8').catch((cause: unknown) => {
      throw new LakeduelError('RESULTS_CORRUPT', `There is no readable results file at ${this.path}.`, {
        facts: { path: this.path },
        remedy: 'Give --resume the folder of an earlier run, the one that holds its results.json.',
        cause,
      })
    })
    try {
      return parseResults(text)
    } catch (error) {
      if (!(error instanceof ResultsCorruptError)) throw error
      throw new LakeduelError('RESULTS_CORRUPT', `${error.message} (${this.path})`, {
        facts: { path: this.path, field: error.path },
        remedy: error.remedy,
        cause: error,
      })
    }
  }
}
