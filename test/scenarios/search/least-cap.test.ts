import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { leastCap } from '../../../scenarios/search/least-cap.ts'

const MIB = 2 ** 20
const OPTIONS = {
  guessBytes: 512 * MIB,
  floorBytes: 64 * MIB,
  ceilingBytes: 16_384 * MIB,
  ratio: 1.12,
  confirmations: 2,
}

/** Work that needs so much, every time. */
function needing(bytes: number) {
  return async (capBytes: number) => ({ passed: capBytes >= bytes })
}

describe('the search for the least memory', () => {
  it('ends within its precision of the true need, whatever that is', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 65, max: 16_000 }), async (needMiB) => {
        const { passedBytes, failedBytes } = await leastCap(needing(needMiB * MIB), OPTIONS)
        expect(passedBytes).toBeGreaterThanOrEqual(needMiB * MIB)
        expect(failedBytes).toBeLessThan(needMiB * MIB)
        expect((passedBytes ?? Infinity) / (failedBytes ?? 0)).toBeLessThanOrEqual(OPTIONS.ratio)
      }),
    )
  })

  it('never calls a cap safe that failed once, however the need varies, and always ends', async () => {
    const needs = fc.array(fc.integer({ min: 80, max: 9_000 }), { minLength: 1, maxLength: 5 })
    await fc.assert(
      fc.asyncProperty(needs, async (needsMiB) => {
        let tries = 0
        const attempt = async (capBytes: number) => ({
          passed: capBytes >= (needsMiB[tries++ % needsMiB.length] ?? 0) * MIB,
        })
        const { passedBytes, trials } = await leastCap(attempt, OPTIONS)
        for (const { capBytes, passed } of trials) {
          if (!passed && passedBytes !== null) expect(capBytes).toBeLessThan(passedBytes)
        }
        expect(trials.length).toBeLessThan(60)
      }),
    )
  })

  it('tries both ends again before they count', async () => {
    const { passedBytes, failedBytes, trials } = await leastCap(needing(700 * MIB), OPTIONS)
    expect(trials.filter(({ capBytes }) => capBytes === passedBytes)).toHaveLength(2)
    expect(trials.filter(({ capBytes }) => capBytes === failedBytes)).toHaveLength(2)
  })

  it('says that nothing passes where the ceiling fails', async () => {
    const { passedBytes, failedBytes } = await leastCap(needing(20_000 * MIB), OPTIONS)
    expect(passedBytes).toBeNull()
    expect(failedBytes).toBe(OPTIONS.ceilingBytes)
  })

  it('says that the floor is enough where it passes', async () => {
    const { passedBytes, failedBytes } = await leastCap(needing(0), OPTIONS)
    expect(passedBytes).toBe(OPTIONS.floorBytes)
    expect(failedBytes).toBeNull()
  })
})
