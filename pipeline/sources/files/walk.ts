import { z } from 'zod'
import { LakeduelError } from '../../../platform/errors.ts'
import { PageFill } from '../page-fill.ts'
import type { Cursor, Page, ReadLimits, Row } from '../source.ts'
import { type DataFile, idOf } from './data-file.ts'
import { BEGINNING, type Position, positionSchema } from './position.ts'
import { type Progress, seenSchema } from './progress.ts'

export const cursorSchema = z.strictObject({
  seen: seenSchema,
  /** The id of the file that was begun, and how far it was read; null between two files. */
  begun: z.strictObject({ id: z.string(), position: positionSchema }).nullable(),
})
type Begun = z.infer<typeof cursorSchema>['begun']

/** Where a read stands among its files, and the page that is being filled. Pages span files, so that small ones are no pages of their own. */
export class Walk {
  readonly #progress: Progress
  readonly #fill: PageFill
  readonly #isIncremental: boolean
  #fileId = ''
  #begun: Begun = null
  #hasMoved = false

  constructor(progress: Progress, limits: ReadLimits, isIncremental: boolean) {
    this.#progress = progress
    this.#fill = new PageFill(limits)
    this.#isIncremental = isIncremental
  }

  /** Whether a page is due at the end: there are rows, or a file without any was read. */
  get hasMoved(): boolean {
    return this.#hasMoved
  }

  begin(file: DataFile, position: Position): void {
    this.#fileId = idOf(file)
    this.#begun = position.row === 0 ? null : { id: this.#fileId, position }
  }

  fits(bytes: number): boolean {
    return this.#fill.fits(bytes)
  }

  add(row: Row, bytes: number, next: Position): void {
    this.#fill.add(row, bytes)
    this.#begun = { id: this.#fileId, position: next }
    this.#hasMoved = true
  }

  end(file: DataFile): void {
    this.#progress.done(file)
    this.#begun = null
    this.#hasMoved = true
  }

  page(): Page {
    const { seen } = this.#progress
    const cursor: Cursor = { seen, begun: this.#begun }
    this.#hasMoved = false
    return { ...this.#fill.take(), cursor, ...(this.#isIncremental ? { mark: seen } : {}) }
  }
}

/**
 * The files to read, from where on: the one that was begun first, then those that were not read.
 * @throws LakeduelError `READ_NOT_RESUMABLE` when the file that was begun is gone or another
 */
export function filesToRead(
  progress: Progress,
  begun: Begun,
): readonly { readonly file: DataFile; readonly position: Position }[] {
  const unseen = progress.unseen.map((file) => ({ file, position: BEGINNING }))
  if (begun === null) return unseen
  const first = unseen.find(({ file }) => idOf(file) === begun.id)
  if (first === undefined)
    throw new LakeduelError('READ_NOT_RESUMABLE', 'The file that was being read changed or is gone.', {
      facts: { position: begun.position },
      remedy:
        'Start the sync again from its beginning; write files under another name, and rename them when they are whole.',
    })
  return [{ file: first.file, position: begun.position }, ...unseen.filter((one) => one !== first)]
}
