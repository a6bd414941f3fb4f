import { expect, test } from 'vitest'
import { isConflict, replay } from '../../../pipeline/coordination/replay.ts'
import { LakeduelError } from '../../../platform/errors.ts'

const POLICY = { tries: 4, firstWaitMs: 1, longestWaitMs: 2 }
const conflict = () => new LakeduelError('COMMIT_CONFLICT', 'another writer was first')
const lost = () => new LakeduelError('POSTGRES_UNREACHABLE', 'the connection broke')
const wrong = () => new LakeduelError('SCHEMA_MISMATCH', 'the batch does not fit')

/** Fails with the errors, one a call, and then returns the number of calls. */
function failing(...errors: readonly Error[]) {
  let calls = 0
  return {
    calls: () => calls,
    action: async () => {
      const error = errors[calls]
      calls += 1
      if (error !== undefined) throw error
      return calls
    },
  }
}

test('what passes is tried again, until it succeeds', async () => {
  expect(await replay(POLICY, failing(conflict(), lost()).action)).toBe(3)
})

test('no more tries are made than allowed, and the last error is thrown', async () => {
  const last = lost()
  const { action, calls } = failing(conflict(), conflict(), conflict(), last)
  await expect(replay(POLICY, action)).rejects.toBe(last)
  expect(calls()).toBe(4)
})

test('what a person must put right is thrown at once, and so is an error of nobody', async () => {
  for (const error of [wrong(), new TypeError('a defect')]) {
    const { action, calls } = failing(error)
    await expect(replay(POLICY, action)).rejects.toBe(error)
    expect(calls()).toBe(1)
  }
})

test('a caller chooses what is worth another try', async () => {
  const broken = lost()
  const { action, calls } = failing(conflict(), broken)
  await expect(replay(POLICY, action, { isWorthIt: isConflict })).rejects.toBe(broken)
  expect(calls()).toBe(2)
})

test('a wait ends with the signal, whose reason is thrown', async () => {
  const controller = new AbortController()
  const { action } = failing(conflict(), conflict())
  const replayed = replay({ tries: 9, firstWaitMs: 60_000, longestWaitMs: 60_000 }, action, {
    signal: controller.signal,
  })
  controller.abort(new Error('enough'))
  await expect(replayed).rejects.toThrow()
})
