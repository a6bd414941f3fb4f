import { hostname } from 'node:os'
import { expect, test } from 'vitest'
import { takeFingerprint } from '../../../scenarios/measure/fingerprint.ts'

test('the fingerprint tells the machine without naming it', async () => {
  const fingerprint = await takeFingerprint()
  expect(fingerprint.cores).toBeGreaterThan(0)
  expect(fingerprint.memoryBytes).toBeGreaterThan(2 ** 28)
  expect(fingerprint.kernel).toMatch(/^\w+ \d/)
  expect(fingerprint.git?.sha ?? '0000000').toMatch(/^[0-9a-f]{7,}$/)
  const text = JSON.stringify(fingerprint)
  expect(text).not.toContain(process.cwd())
  expect(hostname().length < 4 || !text.includes(hostname())).toBe(true)
  expect(JSON.parse(text)).toEqual(fingerprint)
})
