import { existsSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { makeCgroup, removeCgroup, sweepCgroups } from './cgroup-directory.ts'
import { enterCgroups } from './cgroup-entry.ts'
import { CgroupV2Files, cgroupProcesses } from './cgroup-files.ts'
import { cgroupOf } from './cgroup-location.ts'
import { CgroupPod } from './cgroup-pod.ts'
import type { Pod, PodMechanism, PodRequest } from './pod.ts'
import { nextPodName } from './pod-name.ts'
import { PROBE, proveEntry } from './probe.ts'

/**
 * Where this process moves to, beside its pods: a cgroup with members can't hand the memory controller to its children
 * ("no internal processes" in https://docs.kernel.org/admin-guide/cgroup-v2.html). It stays until its parent is removed.
 */
const SUPERVISOR = 'lakeduel-supervisor'

/** Pods in this process's own subtree of the unified hierarchy, where that was delegated to us and has the memory controller. */
export const cgroupV2: PodMechanism = {
  name: 'cgroup-v2',

  async probe() {
    await using pod = await createPod(PROBE)
    await proveEntry(pod)
    return 'the unified hierarchy is delegated to this process, with the memory controller'
  },

  create: createPod,

  async sweep() {
    const parent = ownSubtree()
    if (parent !== null) await sweepCgroups(parent)
  },
}

async function createPod(request: PodRequest): Promise<Pod> {
  const parent = ownSubtree()
  if (parent === null) throw new Error('no unified hierarchy is mounted')
  await delegateMemory(parent)
  const directory = join(parent, nextPodName(request.name))
  const { memoryCapBytes } = request
  await makeCgroup(directory, memoryCapBytes === null ? null : () => capMemory(directory, memoryCapBytes))
  return new CgroupPod({
    mechanism: 'cgroup-v2',
    memoryCapBytes,
    processes: () => cgroupProcesses(directory),
    files: new CgroupV2Files(directory),
    enter: (command) => enterCgroups([directory], command),
    remove: () => removeCgroup(directory),
  })
}

/** Our own cgroup, or the one above it once we have moved into the supervisor's. */
function ownSubtree(): string | null {
  const own = cgroupOf('self', 'v2')
  return own?.endsWith(`/${SUPERVISOR}`) ? own.slice(0, -SUPERVISOR.length - 1) : own
}

/** Lets children of a cgroup have memory limits, moving its members out of the way where the kernel demands it. */
async function delegateMemory(directory: string): Promise<void> {
  if (!(await controllers(directory, 'cgroup.controllers')).includes('memory')) {
    throw new Error('the unified hierarchy has no memory controller here')
  }
  if ((await controllers(directory, 'cgroup.subtree_control')).includes('memory')) return
  const enable = () => writeFile(join(directory, 'cgroup.subtree_control'), '+memory')
  await enable().catch(async (error: unknown) => {
    const hasMembers = error instanceof Error && 'code' in error && error.code === 'EBUSY'
    if (!hasMembers) throw error
    await moveMembers(directory, join(directory, SUPERVISOR))
    await enable()
  })
}

async function moveMembers(from: string, to: string): Promise<void> {
  if (!existsSync(to)) await makeCgroup(to, null)
  const members = await readFile(join(from, 'cgroup.procs'), 'latin1')
  for (const member of members.split('\n').filter((line) => line !== '')) {
    await writeFile(join(to, 'cgroup.procs'), member)
  }
}

async function capMemory(directory: string, bytes: number): Promise<void> {
  await writeFile(join(directory, 'memory.max'), String(bytes))
  const swap = join(directory, 'memory.swap.max')
  if (existsSync(swap)) await writeFile(swap, '0')
}

async function controllers(directory: string, file: string): Promise<readonly string[]> {
  return (await readFile(join(directory, file), 'latin1')).trim().split(' ')
}
