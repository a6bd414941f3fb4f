import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { execa } from 'execa'
import { expect, test } from 'vitest'
import { cgroupOf } from '../../../platform/pods/cgroup-location.ts'
import { createPod, detectPodMechanism } from '../../../platform/pods/mechanism.ts'
import { uncapped } from '../../../platform/pods/uncapped.ts'
import { startMemoryMeasurement } from '../../../scenarios/measure/memory.ts'
import { nextLine } from '../../platform/pods/lines.ts'
import { allocating, spiking } from '../../platform/pods/programs.ts'

const MIB = 2 ** 20
const node = process.execPath
const linux = process.platform === 'linux'
if (!linux) console.warn('Memory is read from procfs: these tests are skipped on other systems than Linux')
const { mechanism } = await detectPodMechanism()
const makers = [
  { kind: mechanism, make: createPod },
  { kind: uncapped.name, make: uncapped.create },
]

function expectWithin(actual: number, expected: number, share: number) {
  expect(Math.abs(actual - expected) / expected, `${actual} instead of ${expected}`).toBeLessThan(share)
}

test.runIf(linux).each(makers)(
  '300 MiB that a process takes are recorded within 2 % ($kind)',
  async ({ kind, make }) => {
    await using pod = await make({ name: 'known', memoryCapBytes: null })
    const loader = pod.spawn(node, allocating(300))
    await nextLine(loader)
    using measurement = startMemoryMeasurement(pod, { roles: { loader: loader.pid ?? 0 } })
    loader.stdin.write('go\n')
    await nextLine(loader)
    const { record } = measurement.stop()
    expectWithin(record.addedBytes, 300 * MIB, 0.02)
    expect(record.floorBytes).toBe(record.floorBytesByRole['loader'])
    expect(Object.keys(record.vmHwmBytes)).toEqual(['loader'])
    expectWithin((record.vmHwmBytes['loader'] ?? 0) - record.floorBytes, record.addedBytes, 0.001)
    expect(record.pssPeakBytes).toBeGreaterThan(300 * MIB)
    if (kind === 'none') expect([record.cgroupPeakBytes, record.anonPeakBytes]).toEqual([null, null])
    else {
      expect(record.anonPeakBytes).toBeGreaterThan(300 * MIB)
      expect(record.cgroupPeakBytes).toBeGreaterThanOrEqual(record.anonPeakBytes ?? 0)
    }
    loader.stdin.end()
  },
)

test.runIf(linux)(
  'a spike that is over before the next sample is still in the peaks that the kernel keeps',
  async () => {
    await using pod = await createPod({ name: 'spike', memoryCapBytes: null })
    const loader = pod.spawn(node, spiking(250))
    await nextLine(loader)
    using measurement = startMemoryMeasurement(pod, { roles: { loader: loader.pid ?? 0 } })
    loader.stdin.write('go\n')
    await nextLine(loader)
    const held =
      Number(/VmRSS:\s+(\d+)/.exec(await readFile(`/proc/${loader.pid}/status`, 'utf8'))?.[1]) * 1024
    expect(held).toBeLessThan(200 * MIB)
    const { record } = measurement.stop()
    expectWithin(record.addedBytes, 250 * MIB, 0.02)
    if (pod.usage() !== null) expect(record.cgroupPeakBytes).toBeGreaterThan(250 * MIB)
    loader.stdin.end()
  },
)

test.runIf(linux)(
  'a phase starts from the floor of its own, whatever an earlier phase has peaked at',
  async () => {
    await using pod = await createPod({ name: 'phases', memoryCapBytes: null })
    const loader = pod.spawn(node, spiking(250))
    await nextLine(loader)
    loader.stdin.write('go\n')
    await nextLine(loader)
    using measurement = startMemoryMeasurement(pod, { roles: { loader: loader.pid ?? 0 } })
    const { record } = measurement.stop()
    expect(record.addedBytes).toBeLessThan(5 * MIB)
    expect(record.floorBytes).toBeLessThan(150 * MIB)
    loader.stdin.end()
  },
)

test.runIf(linux)(
  'a process that starts later has no floor, goes by its command, and is kept after its end',
  async () => {
    await using pod = await createPod({ name: 'late', memoryCapBytes: null })
    const loader = pod.spawn(node, allocating(1))
    await nextLine(loader)
    using measurement = startMemoryMeasurement(pod, { roles: { loader: loader.pid ?? 0 } })
    const late = pod.spawn('sh', ['-c', 'read line'])
    await new Promise((resolve) => setTimeout(resolve, 500))
    late.stdin.end('\n')
    await late
    const { record } = measurement.stop()
    expect(record.floorBytesByRole).toEqual({ loader: record.floorBytes, sh: 0 })
    expect(record.vmHwmBytes['sh']).toBeGreaterThan(100 * 1024)
    expect(record.addedBytes).toBeGreaterThanOrEqual(record.vmHwmBytes['sh'] ?? Number.NaN)
    loader.stdin.end()
  },
)

const peakFile = {
  'cgroup-v2': ['v2', 'memory.peak'],
  'cgroup-v1': ['v1 memory', 'memory.max_usage_in_bytes'],
} as const
if (mechanism !== 'cgroup-v1' && mechanism !== 'cgroup-v2')
  console.warn(`Agreement with the file of the cgroup is not tested: pods are made by ${mechanism}`)

test.runIf(mechanism === 'cgroup-v1' || mechanism === 'cgroup-v2')(
  'the peak of a pod, and what its process added, agree with the file of the cgroup as another program reads it',
  async () => {
    if (mechanism !== 'cgroup-v1' && mechanism !== 'cgroup-v2') return
    await using pod = await createPod({ name: 'file', memoryCapBytes: null })
    const loader = pod.spawn(node, spiking(250))
    await nextLine(loader)
    const [hierarchy, file] = peakFile[mechanism]
    const directory = cgroupOf(loader.pid ?? 0, hierarchy)
    const before = pod.usage()?.currentBytes ?? 0
    using measurement = startMemoryMeasurement(pod, { roles: { loader: loader.pid ?? 0 } })
    loader.stdin.write('go\n')
    await nextLine(loader)
    const { record } = measurement.stop()
    const peakBytes = Number((await execa('cat', [`${directory}/${file}`])).stdout)
    expectWithin(record.cgroupPeakBytes ?? 0, peakBytes, 0.001)
    expectWithin(record.addedBytes, peakBytes - before, 0.02)
    loader.stdin.end()
  },
)

const gnuTime = '/usr/bin/time'
if (!existsSync(gnuTime)) console.warn(`Agreement with GNU time is not tested: ${gnuTime} is missing`)

test.runIf(linux && existsSync(gnuTime))(
  'VmHWM agrees with what GNU time reports of the same process',
  async () => {
    await using pod = await createPod({ name: 'time', memoryCapBytes: null })
    const timed = pod.spawn(gnuTime, ['-v', node, ...allocating(200)])
    await nextLine(timed)
    const child = pod.processes().find((processId) => processId !== timed.pid)
    using measurement = startMemoryMeasurement(pod, { roles: { loader: child ?? 0 } })
    timed.stdin.write('go\n')
    await nextLine(timed)
    const { record } = measurement.stop()
    timed.stdin.end()
    const reported =
      Number(/Maximum resident set size \(kbytes\): (\d+)/.exec((await timed).stderr)?.[1]) * 1024
    expectWithin(record.vmHwmBytes['loader'] ?? 0, reported, 0.02)
  },
)
