import { expect, test } from 'vitest'
import { newPartKey } from '../../../../pipeline/extract/staging/part-key.ts'

test('an extractor that begins anew under its lease writes over no part of the time before', () => {
  const lease = { runId: 'orders-20260101T000000-aaaaaa', token: 7, ttlMs: 30_000 }
  const keys = Array.from({ length: 1_000 }, () => newPartKey(lease))
  expect(new Set(keys).size).toBe(keys.length)
  for (const key of keys) expect(key).toMatch(/^e7-[0-9a-f-]{36}\.parquet$/)
})
