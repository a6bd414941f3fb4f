import { expect, test } from 'vitest'
import { createPod, detectPodMechanism } from '../../../platform/pods/mechanism.ts'
import { uncapped } from '../../../platform/pods/uncapped.ts'
import { startCpuMeasurement } from '../../../scenarios/measure/cpu.ts'
import { nextLine } from '../../platform/pods/lines.ts'
import { burning } from '../../platform/pods/programs.ts'

const { mechanism } = await detectPodMechanism()

test.runIf(process.platform === 'linux').each([
  { kind: mechanism, make: createPod },
  { kind: uncapped.name, make: uncapped.create },
])(
  'the processor time of a pod is counted, and this process’s own apart from it ($kind)',
  async ({ make }) => {
    await using pod = await make({ name: 'burn', memoryCapBytes: null })
    const stop = startCpuMeasurement(pod)
    const loader = pod.spawn(process.execPath, burning(400))
    const burntSeconds = Number(await nextLine(loader))
    const { cpuSeconds, orchestratorCpuSeconds } = stop()
    // Procfs counts in hundredths of a second, and both go on for a moment after the program has looked.
    expect(cpuSeconds).toBeGreaterThanOrEqual(burntSeconds - 0.02)
    expect(cpuSeconds).toBeLessThan(burntSeconds + 0.3)
    expect(orchestratorCpuSeconds).toBeGreaterThan(0)
    expect(orchestratorCpuSeconds).toBeLessThan(cpuSeconds)
    loader.stdin.end()
  },
)

test('what this process burns itself shows as the orchestrator’s', async () => {
  await using pod = await createPod({ name: 'idle', memoryCapBytes: null })
  const stop = startCpuMeasurement(pod)
  const before = process.cpuUsage().user
  while (process.cpuUsage().user - before < 200_000) for (let i = 0; i < 1e6; i++);
  const { cpuSeconds, orchestratorCpuSeconds } = stop()
  expect(orchestratorCpuSeconds).toBeGreaterThanOrEqual(0.2)
  expect(cpuSeconds).toBe(0)
})
