import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Phase } from '../../../reports/schema.ts'
import { type Measured, READINGS } from '../../../scenarios/self-test/readings.ts'
import { S3_SCRIPT } from '../../../scenarios/self-test/s3-script.ts'
import { WORKS } from '../../../scenarios/self-test/works.ts'

const PHASE: Phase = {
  wallMs: WORKS.wait.ms,
  cpuSeconds: 1.5,
  orchestratorCpuSeconds: 0,
  memory: {
    floorBytes: 0,
    floorBytesByRole: {},
    vmHwmBytes: {},
    addedBytes: WORKS.touch.bytes,
    cgroupPeakBytes: WORKS.touch.bytes + 50,
    anonPeakBytes: WORKS.touch.bytes + 10,
    pssPeakBytes: null,
  },
  s3: {
    status: 'measured',
    byOperation: { ...S3_SCRIPT.byOperation },
    requests: S3_SCRIPT.requests,
    bytesIn: S3_SCRIPT.objectBytesIn,
    bytesOut: S3_SCRIPT.objectBytesOut,
  },
  postgres: { status: 'measured', calls: WORKS.postgres.calls, walBytes: 0 },
  spillPeakBytes: WORKS.spill.bytes,
}
const MEASURED: Measured = {
  phase: PHASE,
  done: { event: 'done', wallMs: WORKS.wait.ms, cpuSeconds: 1.5 },
  usageBefore: { currentBytes: 50, peakBytes: null, anonBytes: 10, oomKills: 0 },
}
const IDLE: Partial<Phase> = {
  s3: { status: 'measured', byOperation: {}, requests: 0, bytesIn: 0, bytesOut: 0 },
  postgres: { status: 'measured', calls: 0, walBytes: 0 },
  spillPeakBytes: 0,
}

function verdicts(work: keyof typeof WORKS, phase: Partial<Phase>, more: Partial<Measured> = {}) {
  const measured = { ...MEASURED, phase: { ...PHASE, ...(work === 'wait' ? IDLE : {}), ...phase }, ...more }
  return READINGS[work](measured).map(({ verdict }) => verdict)
}

test.each(Object.values(WORKS).map(({ kind }) => kind))(
  'work that was recorded as it was done agrees: %s',
  (work) => {
    expect(new Set(verdicts(work, {}))).toEqual(new Set(['agrees']))
  },
)

test('2 % are allowed of what is measured, and no more', () => {
  const share = fc
    .double({ min: -0.5, max: 0.5, noNaN: true })
    .filter((by) => Math.abs(Math.abs(by) - 0.02) > 1e-6)
  fc.assert(
    fc.property(share, (by) => {
      const expected = Math.abs(by) < 0.02 ? 'agrees' : 'off'
      expect(verdicts('wait', { wallMs: WORKS.wait.ms * (1 + by) })[0]).toBe(expected)
      expect(verdicts('burn', { cpuSeconds: 1.5 * (1 + by) })).toEqual([expected])
      expect(verdicts('spill', { spillPeakBytes: WORKS.spill.bytes * (1 + by) })).toEqual([expected])
      const addedBytes = WORKS.touch.bytes * (1 + by)
      expect(verdicts('touch', { memory: { ...PHASE.memory, addedBytes } })).toEqual([
        expected,
        'agrees',
        'agrees',
      ])
    }),
  )
})

test('a count that is off by one is off, also where nothing was done', () => {
  const calls = WORKS.postgres.calls + 1
  expect(verdicts('postgres', { postgres: { status: 'measured', calls, walBytes: 0 } })).toEqual(['off'])
  expect(verdicts('wait', { postgres: { status: 'measured', calls: 1, walBytes: 0 } })).toContain('off')
  expect(verdicts('wait', { spillPeakBytes: 1 })).toContain('off')
  const byOperation = { ...S3_SCRIPT.byOperation, GetObject: 5, HeadObject: 5 }
  const usage = { status: 'measured', byOperation, requests: 31, bytesIn: 0, bytesOut: 0 } as const
  expect(verdicts('s3', { s3: usage }).filter((verdict) => verdict === 'off')).toHaveLength(4)
})

test('what a machine lacks is unavailable with the reason, and not off', () => {
  const memory = { ...PHASE.memory, cgroupPeakBytes: null, anonPeakBytes: null }
  const readings = READINGS.touch({ ...MEASURED, phase: { ...PHASE, memory }, usageBefore: null })
  expect(readings.map(({ verdict }) => verdict)).toEqual(['agrees', 'unavailable', 'unavailable'])
  expect(readings[1]?.reason).toContain('no cgroup')
  const reason = 'the tables lie in a local folder'
  const unread = READINGS.s3({ ...MEASURED, phase: { ...PHASE, s3: { status: 'unavailable', reason } } })
  expect(new Set(unread.map((reading) => `${reading.verdict}: ${reading.reason}`))).toEqual(
    new Set([`unavailable: ${reason}`]),
  )
})
