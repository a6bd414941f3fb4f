import fc from 'fast-check'
import { expect, test } from 'vitest'
import { groupOf } from '../../../pipeline/coordination/leader.ts'
import type { WaitingRequest } from '../../../pipeline/coordination/requests.ts'

const waitingArbitrary = fc
  .array(
    fc.record({
      runId: fc.constantFrom('a', 'b', 'c', 'd'),
      mode: fc.constantFrom('append' as const, 'upsert' as const),
      payloadBytes: fc.integer({ min: 0, max: 100 }),
    }),
    { minLength: 1, maxLength: 12 },
  )
  .map((requests) =>
    requests.map(
      ({ runId, mode, payloadBytes }, index): WaitingRequest => ({
        requestId: String(index),
        tag: { runId, batchIndex: index },
        mode,
        payloadBytes,
        batch: { parts: [] },
        columns: [],
      }),
    ),
  )
const limitArbitrary = fc.integer({ min: 0, max: 250 })

test('a group begins with the oldest request, keeps the order, and is of one mode', () => {
  fc.assert(
    fc.property(waitingArbitrary, limitArbitrary, (waiting, limit) => {
      const group = groupOf(waiting, limit)
      expect(group[0]).toBe(waiting[0])
      const ids = group.map(({ requestId }) => Number(requestId))
      expect(ids).toEqual(ids.toSorted((left, right) => left - right))
      expect(new Set(group.map(({ mode }) => mode)).size).toBe(1)
    }),
  )
})

test('a group holds no more bytes than allowed, unless it is one batch that has more', () => {
  fc.assert(
    fc.property(waitingArbitrary, limitArbitrary, (waiting, limit) => {
      const group = groupOf(waiting, limit)
      const bytes = group.reduce((sum, { payloadBytes }) => sum + payloadBytes, 0)
      expect(group.length === 1 || bytes <= limit).toBe(true)
    }),
  )
})

test('no batch passes one of its own run', () => {
  fc.assert(
    fc.property(waitingArbitrary, limitArbitrary, (waiting, limit) => {
      const group = groupOf(waiting, limit)
      for (const member of group) {
        const first = waiting.find(({ tag }) => tag.runId === member.tag.runId)
        expect(member).toBe(first)
      }
    }),
  )
})

test('requests that wait go in some number of groups, each of them once', () => {
  fc.assert(
    fc.property(waitingArbitrary, limitArbitrary, (waiting, limit) => {
      let left: readonly WaitingRequest[] = waiting
      const done: WaitingRequest[] = []
      while (left.length > 0) {
        const group = groupOf(left, limit)
        done.push(...group)
        left = left.filter((request) => !group.includes(request))
      }
      expect(new Set(done)).toEqual(new Set(waiting))
      expect(done).toHaveLength(waiting.length)
    }),
  )
})
