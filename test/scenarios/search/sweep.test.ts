import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type Overrides, sweep, type Tried } from '../../../scenarios/search/sweep.ts'
import { settingsOf } from '../../../scenarios/settings/overrides.ts'

const OPTIONS = { rounds: 3, leastGain: 0.05 }
const FACTORS = fc.record({
  threads: fc.dictionary(fc.constantFrom('1', '2', '8'), fc.double({ min: 0.2, max: 3, noNaN: true })),
  uploads: fc.dictionary(fc.constantFrom('4', '16'), fc.double({ min: 0.2, max: 3, noNaN: true })),
})

const TUNABLES = [
  { name: 'threads', values: [1, 2, 8] },
  { name: 'uploads', values: [4, 16] },
]

/** Each setting takes its own factor of the time, 1 for the default. */
function timed(factors: Readonly<Record<string, Readonly<Record<string, number>>>>) {
  return (overrides: Overrides): number =>
    Object.entries(overrides).reduce((ms, [name, value]) => ms * (factors[name]?.[String(value)] ?? 1), 1_000)
}

test('of settings that do not depend on each other, the fastest value of each is found where it saves enough', async () => {
  await fc.assert(
    fc.asyncProperty(FACTORS, async (factors) => {
      const wallMs = timed(factors)
      const { best } = await sweep(
        (overrides) => Promise.resolve({ wallMs: wallMs(overrides), peakBytes: 1 }),
        { ...OPTIONS, tunables: TUNABLES },
      )
      for (const { name, values } of TUNABLES) {
        const least = Math.min(...values.map((value) => wallMs({ [name]: value })))
        const found = wallMs(best[name] === undefined ? {} : { [name]: best[name] })
        expect(found).toBe(least <= 950 ? least : 1_000)
      }
    }),
  )
})

test('a difference that is not there in every round is noise', async () => {
  let round = 0
  const { best } = await sweep(
    ({ threads }) => {
      if (threads === undefined) return Promise.resolve({ wallMs: 1_000, peakBytes: 1 })
      round += 1
      return Promise.resolve({ wallMs: round === 2 ? 1_100 : 500, peakBytes: 1 })
    },
    { ...OPTIONS, tunables: [{ name: 'threads', values: [8] }] },
  )
  expect(best).toEqual({})
})

test('what failed once is never chosen, however fast it is', async () => {
  let tries = 0
  const attempt = ({ threads }: Overrides): Promise<Tried> => {
    if (threads === undefined) return Promise.resolve({ wallMs: 1_000, peakBytes: 1 })
    tries += 1
    return Promise.resolve(tries === 3 ? null : { wallMs: 10, peakBytes: 1 })
  }
  const { best, compared } = await sweep(attempt, {
    ...OPTIONS,
    tunables: [{ name: 'threads', values: [8] }],
  })
  expect(best).toEqual({})
  expect(compared).toEqual([{ setting: 'threads', value: 8, failed: true, timeRatio: null }])
})

test('where the defaults fail, the fastest of what passes is chosen', async () => {
  const { best } = await sweep(
    ({ threads }) => Promise.resolve(threads === undefined ? null : { wallMs: threads * 10, peakBytes: 1 }),
    { ...OPTIONS, tunables: [{ name: 'threads', values: [2, 1, 4] }] },
  )
  expect(best).toEqual({ threads: 1 })
})

test('candidates take turns, forth and back', async () => {
  const order: (number | undefined)[] = []
  await sweep(
    ({ threads }) => {
      order.push(threads)
      return Promise.resolve({ wallMs: 1, peakBytes: 1 })
    },
    { rounds: 2, leastGain: 0.05, tunables: [{ name: 'threads', values: [1, 2] }] },
  )
  expect(order).toEqual([undefined, 1, 2, 2, 1, undefined])
})

test('settings with a point in their name lie in a record of their own', () => {
  expect(
    settingsOf({ 'deltalite.maxParallelFiles': 2, 'deltalite.readBatchRows': 64, processors: 1 }),
  ).toEqual({
    deltalite: { maxParallelFiles: 2, readBatchRows: 64 },
    processors: 1,
  })
})
