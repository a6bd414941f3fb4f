import { describe, expect, test } from 'vitest'
import { loadDeath } from '../../../pipeline/load/load-death.ts'

const SIGKILL = { status: 'killed', signal: 'SIGKILL' } as const
const counted = {
  status: 'oom-killed',
  mechanism: 'cgroup-v2',
  oomKills: 1,
  peakBytes: 1,
  capBytes: 1,
} as const
const died = { said: 'last words', measured: true, asked: false }

describe('a load process that', () => {
  test.each([
    ['the kernel killed for memory', { ...died, death: counted }, 'ENGINE_OUT_OF_MEMORY'],
    [
      'is killed in a container that counts nothing',
      { ...died, death: SIGKILL, measured: false },
      'ENGINE_OUT_OF_MEMORY',
    ],
    ['somebody killed beside the kernel', { ...died, death: SIGKILL }, 'SIDECAR_DIED'],
    ['its own worker ended', { ...died, death: SIGKILL, measured: false, asked: true }, 'SIDECAR_DIED'],
    ['crashed', { ...died, death: { status: 'killed', signal: 'SIGSEGV' }, measured: false }, 'SIDECAR_DIED'],
    ['ended by itself', { ...died, death: { status: 'exited', exitCode: 1 } }, 'SIDECAR_DIED'],
    [
      'gave no answer',
      { ...died, death: { status: 'hang', reason: 'deadline', afterMs: 1_000 }, measured: false },
      'ENGINE_HUNG',
    ],
  ] as const)('%s', (_, death, code) => {
    expect(loadDeath(death)).toMatchObject({ code, facts: { said: 'last words' } })
  })
})
