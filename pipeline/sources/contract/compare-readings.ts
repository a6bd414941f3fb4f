import type { Finding } from './check.ts'
import type { Recording } from './recording.ts'

/** How a reading differs from the rows that were expected of it, or null when it does not. */
export function difference(
  expected: readonly string[],
  reading: Pick<Recording, 'digests' | 'ended'>,
  isWhole: boolean,
): { readonly reason: string; readonly values: NonNullable<Finding['values']> } | null {
  const { digests, ended } = reading
  const compared = Math.min(expected.length, digests.length)
  const at = digests.findIndex((digest, index) => index < compared && digest !== expected[index])
  const values = { expectedRows: expected.length, rows: digests.length }
  if (at >= 0) {
    const elsewhere = expected.indexOf(digests[at] ?? '')
    const hint = elsewhere < 0 ? 'is not among those expected' : `was expected at place ${elsewhere}`
    return { reason: `the row at place ${at} ${hint}`, values }
  }
  if (ended && digests.length < expected.length)
    return { reason: `${expected.length - digests.length} rows are missing at the end`, values }
  if (isWhole && digests.length > expected.length)
    return { reason: `${digests.length - expected.length} rows came after the last`, values }
  return null
}
