import { setTimeout as sleep } from 'node:timers/promises'
import { classify } from '../sources/errors.ts'
import type { ClassifiedFailure, Cursor, SourceDefinition } from '../sources/source.ts'

/** A failure of the source that was not mended by reading again. */
export class SourceFailed extends Error {
  override readonly name = 'SourceFailed'
  readonly failure: ClassifiedFailure
  /** Where reading failed: the cursor that the failing page was asked for with. */
  readonly cursor: Cursor

  constructor(failure: ClassifiedFailure, cursor: Cursor, cause: unknown) {
    super(failure.message, { cause })
    this.failure = failure
    this.cursor = cursor
  }
}

export interface ReadingOptions<Page extends { readonly cursor: Cursor }> {
  readonly definition: SourceDefinition
  /** Texts that must not show in what is told of a failure. */
  readonly secrets: readonly string[]
  readonly from: Cursor
  /** Opens the source at a cursor. */
  readonly read: (from: Cursor) => AsyncIterable<Page> | Promise<AsyncIterable<Page>>
  readonly signal: AbortSignal
  readonly onWaiting: (waiting: boolean) => void
}

/** Failures in a row without a page, after which an outage is told instead of waited out: about ten minutes. */
const MAX_FRUITLESS = 12
const FIRST_WAIT_MS = 500
const LONGEST_WAIT_MS = 60_000
/** Of what a source asks for: a clock that is wrong, its own or ours, must not keep a sync waiting for days. */
const LONGEST_ASKED_WAIT_MS = 60 * 60_000

/**
 * Pages of a source from a cursor on, through outages and rate limits: a failure that is the source's is waited out, and
 * reading goes on at the last page that was handed over.
 * @throws {@link SourceFailed}; the signal's reason
 */
export async function* readThroughOutages<Page extends { readonly cursor: Cursor }>(
  options: ReadingOptions<Page>,
): AsyncGenerator<Page, void, void> {
  let cursor = options.from
  let fruitless = 0
  for (;;) {
    try {
      for await (const page of await options.read(cursor)) {
        fruitless = 0
        cursor = page.cursor
        yield page
      }
      return
    } catch (error) {
      options.signal.throwIfAborted()
      const failure = classify(options.definition, error, options.secrets)
      fruitless += 1
      if (failure.class !== 'source' || fruitless > MAX_FRUITLESS)
        throw new SourceFailed(failure, cursor, error)
      await waitOut(failure, fruitless, options)
    }
  }
}

async function waitOut(
  { retryAfterMs }: ClassifiedFailure,
  fruitless: number,
  { signal, onWaiting }: Pick<ReadingOptions<never>, 'signal' | 'onWaiting'>,
): Promise<void> {
  const waitMs = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** (fruitless - 1)) * (0.5 + Math.random() / 2)
  onWaiting(true)
  try {
    const askedMs = Math.min(retryAfterMs ?? 0, LONGEST_ASKED_WAIT_MS)
    await sleep(Math.max(askedMs, waitMs), undefined, { signal })
  } finally {
    onWaiting(false)
  }
}
