import type { Page, Source, SourceTable } from '../source.ts'
import { type ContractCheck, fail, pass, type TableFinding, tableCheck } from './check.ts'
import { within } from './deadline.ts'
import { type ContractSubject, NO_BYTE_BOUNDS } from './subject.ts'

export const abortCheck: ContractCheck = tableCheck(
  'abort',
  'a read whose signal is aborted ends soon, with the reason of the signal',
  async (subject, table) => {
    await using source = await subject.open()
    return (
      (await abortedBefore(subject, source, table)) ??
      (await abortedDuring(subject, source, table)) ??
      pass(`within ${subject.options.abortMs} ms`)
    )
  },
)

async function abortedBefore(
  subject: ContractSubject,
  source: Source,
  table: SourceTable,
): Promise<TableFinding | null> {
  const reason = new Error('aborted by the contract')
  const request = subject.request(table, { signal: AbortSignal.abort(reason) })
  const pages = source.read(request)[Symbol.asyncIterator]()
  const outcome = await outcomeOf(pages, subject.options.abortMs)
  await leave(pages, subject.options.abortMs)
  return problemOf(outcome, reason, 'aborted before its beginning')
}

/** Aborted while a page is on its way: that one may still come, and the next must not. */
async function abortedDuring(
  subject: ContractSubject,
  source: Source,
  table: SourceTable,
): Promise<TableFinding | null> {
  const { abortMs } = subject.options
  const reason = new Error('aborted by the contract')
  const controller = new AbortController()
  const limits = { ...NO_BYTE_BOUNDS, readAheadBytes: subject.options.readAheadBytes, pageRows: 1 }
  const request = subject.request(table, { signal: controller.signal, limits })
  const pages = source.read(request)[Symbol.asyncIterator]()
  const first = outcomeOf(pages, abortMs)
  controller.abort(reason)
  const outcome = await first
  const last = outcome.kind === 'page' ? await outcomeOf(pages, abortMs) : outcome
  await leave(pages, abortMs)
  // A table may end with its first page, and then there was nothing left to abort.
  return last.kind === 'end' ? null : problemOf(last, reason, 'aborted on its first page')
}

/** Lets the source close what the read holds open; one that hangs is left as it is. */
async function leave(pages: AsyncIterator<Page>, abortMs: number): Promise<void> {
  await within(Promise.resolve(pages.return?.()), abortMs)
}

type Outcome =
  | { readonly kind: 'page' }
  | { readonly kind: 'end' }
  | { readonly kind: 'late' }
  | { readonly kind: 'error'; readonly error: unknown }

async function outcomeOf(pages: AsyncIterator<Page>, abortMs: number): Promise<Outcome> {
  try {
    const next = await within(pages.next(), abortMs)
    if (next === null) return { kind: 'late' }
    return { kind: next.done === true ? 'end' : 'page' }
  } catch (error) {
    return { kind: 'error', error }
  }
}

function problemOf(outcome: Outcome, reason: Error, when: string): TableFinding | null {
  switch (outcome.kind) {
    case 'error':
      return outcome.error === reason
        ? null
        : fail(`${when}, it threw something else than the signal's reason`)
    case 'late':
      return fail(`${when}, it went on waiting`)
    case 'page':
      return fail(`${when}, it went on reading`)
    case 'end':
      return fail(`${when}, it ended as if all were read`)
  }
}
