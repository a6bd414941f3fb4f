import { expect, test } from 'vitest'
import { limitsFor } from '../../../pipeline/extract/limits.ts'

const MIB = 1024 ** 2

test('without a cap the defaults hold', () => {
  expect(limitsFor(null)).toMatchObject({
    read: { readAheadBytes: 150 * MIB },
    bufferedBytes: 200 * MIB,
    batch: { payloadBytes: 256 * MIB, rows: 500_000 },
  })
})

test.each([256, 512, 768, 1_024, 4_096, 65_536])(
  'a pod of %i MiB gets a share of it, and never more than the defaults',
  (mib) => {
    const { read, bufferedBytes, parts } = limitsFor(mib * MIB)
    expect(read.readAheadBytes + bufferedBytes + parts.rowGroupPayloadBytes).toBeLessThan((mib * MIB) / 3)
    expect(read.readAheadBytes).toBeLessThanOrEqual(150 * MIB)
    expect(bufferedBytes).toBeLessThanOrEqual(200 * MIB)
    expect(parts.rowGroupPayloadBytes).toBeLessThanOrEqual(16 * MIB)
  },
)

test.each([512, 768, 2_048])('in a pod of %i MiB a row may take a sixth of what is free', (mib) => {
  expect(limitsFor(mib * MIB).read.maxRowBytes).toBe(Math.round(((mib - 192) * MIB) / 6))
})

test('a row of 30 MB fits what is read ahead in a pod of 768 MiB', () => {
  expect(limitsFor(768 * MIB).read.readAheadBytes).toBeGreaterThan(60e6)
})
