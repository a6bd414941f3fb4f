import { existsSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { makeCgroup, removeCgroup, sweepCgroups } from './cgroup-directory.ts'
import { enterCgroups } from './cgroup-entry.ts'
import { CgroupV1Files, cgroupProcesses } from './cgroup-files.ts'
import { cgroupOf } from './cgroup-location.ts'
import { CgroupPod } from './cgroup-pod.ts'
import type { Pod, PodMechanism, PodRequest } from './pod.ts'
import { nextPodName } from './pod-name.ts'
import { PROBE, proveEntry } from './probe.ts'

/** Pods as children of this process's own cgroup in the v1 `memory` hierarchy, and beside it in `cpuacct` where that can be written. */
export const cgroupV1: PodMechanism = {
  name: 'cgroup-v1',

  async probe() {
    await using pod = await createPod(PROBE)
    await proveEntry(pod)
    return 'the v1 memory hierarchy can be written'
  },

  create: createPod,

  async sweep() {
    for (const parent of [cgroupOf('self', 'v1 memory'), cgroupOf('self', 'v1 cpuacct')]) {
      if (parent !== null) await sweepCgroups(parent)
    }
  },
}

async function createPod(request: PodRequest): Promise<Pod> {
  const parent = cgroupOf('self', 'v1 memory')
  if (parent === null) throw new Error('no v1 memory hierarchy is mounted')
  const name = nextPodName(request.name)
  const memory = join(parent, name)
  const { memoryCapBytes } = request
  await makeCgroup(memory, memoryCapBytes === null ? null : () => capMemory(memory, memoryCapBytes))
  const cpu = await createCpuCgroup(name)
  const directories = cpu === null ? [memory] : [memory, cpu]
  return new CgroupPod({
    mechanism: 'cgroup-v1',
    memoryCapBytes,
    processes: () => cgroupProcesses(memory),
    files: new CgroupV1Files(memory, cpu),
    enter: (command) => enterCgroups(directories, command),
    remove: async () => {
      for (const directory of directories) await removeCgroup(directory)
    },
  })
}

/** `memsw` counts memory and swap together: with both limits alike, swap doesn't help. It is missing where the kernel doesn't account for swap. */
async function capMemory(directory: string, bytes: number): Promise<void> {
  await writeFile(join(directory, 'memory.limit_in_bytes'), String(bytes))
  const memoryAndSwap = join(directory, 'memory.memsw.limit_in_bytes')
  if (existsSync(memoryAndSwap)) await writeFile(memoryAndSwap, String(bytes))
  else await writeFile(join(directory, 'memory.swappiness'), '0')
}

async function createCpuCgroup(name: string): Promise<string | null> {
  const parent = cgroupOf('self', 'v1 cpuacct')
  if (parent === null) return null
  const directory = join(parent, name)
  return mkdir(directory).then(
    () => directory,
    () => null,
  )
}
