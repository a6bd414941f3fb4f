import { describe, expect, inject, test } from 'vitest'
import { useLake } from '../../backends/contract/lake.ts'
import { sceneOf } from './scene.ts'
import { runWriters, startWriter } from './writers.ts'

const ARMS = [
  { arm: 'ducklake/merge', needsSidecar: false },
  { arm: 'delta/merge', needsSidecar: true },
] as const

describe.each(ARMS)('$arm', ({ arm, needsSidecar }) => {
  describe.skipIf(needsSidecar && inject('services').sidecar === null)('many processes at once', () => {
    const lake = useLake(arm, 's3')

    test.each([
      { coordination: 'group', mode: 'upsert' },
      { coordination: 'group', mode: 'append' },
      { coordination: 'lock', mode: 'upsert' },
      { coordination: 'none', mode: 'append' },
    ] as const)(
      'lose and double nothing with coordination $coordination in the mode $mode',
      async ({ coordination, mode }) => {
        const { table, requests } = await sceneOf(lake(), { writers: 5, batches: 3, mode, coordination })
        const writers = requests.map((request) => startWriter(request))
        await runWriters(writers)
        await table.expectStored()
        const attempts = writers.flatMap(({ events }) => events.filter(({ event }) => event === 'attempt'))
        if (coordination !== 'none') {
          expect(attempts.filter((event) => event.event === 'attempt' && event.failed)).toEqual([])
        }
        if (coordination === 'group') expect(attempts.length).toBeLessThan(15)
      },
    )
  })
})
