import { expect } from 'vitest'

/** Holds the log beside a baseline to what `oneRequestMore` was recorded as: the first file, then the second in its place. */
export function expectBothReplacements(log: string): void {
  const lines = log.trim().split('\n')
  expect(lines.map((line) => JSON.parse(line))).toMatchObject([
    { reason: 'the first one', replaced: null },
    { reason: 'one more is needed', replaced: 'made-up' },
  ])
}
