import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { type Hang, Watchdog } from '../../../platform/pods/watchdog.ts'

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

test('a process that gives signs of life is left alone until the deadline', () => {
  const hangs: Hang[] = []
  using watchdog = new Watchdog({ silenceMs: 1000, deadlineMs: 10_000 }, (hang) => hangs.push(hang))
  for (let second = 0; second < 12; second++) {
    vi.advanceTimersByTime(900)
    watchdog.beat()
  }
  expect(hangs).toEqual([{ reason: 'deadline', afterMs: 10_000 }])
  expect(watchdog.hang).toEqual(hangs[0])
})

test('a silent process is reported once, with the time since the start', () => {
  const hangs: Hang[] = []
  using watchdog = new Watchdog({ silenceMs: 1000, deadlineMs: 10_000 }, (hang) => hangs.push(hang))
  vi.advanceTimersByTime(500)
  watchdog.beat()
  vi.advanceTimersByTime(60_000)
  expect(hangs).toEqual([{ reason: 'silence', afterMs: 1500 }])
})

test('nothing is reported after its disposal', () => {
  const hangs: Hang[] = []
  const watchdog = new Watchdog({ silenceMs: null, deadlineMs: 10_000 }, (hang) => hangs.push(hang))
  watchdog[Symbol.dispose]()
  vi.advanceTimersByTime(60_000)
  expect(hangs).toEqual([])
  expect(watchdog.hang).toBeNull()
})
