import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { execa } from 'execa'
import { CgroupV2Files, cgroupProcesses } from './cgroup-files.ts'
import { unifiedMountPoint } from './cgroup-location.ts'
import { CgroupPod } from './cgroup-pod.ts'
import type { Pod, PodMechanism, PodRequest } from './pod.ts'
import { isAbandonedPodName, nextPodName } from './pod-name.ts'
import { PROBE, proveEntry } from './probe.ts'

/**
 * Pods that the user's systemd makes: a slice holds the cap, and each process starts in a scope below it. The cap isn't
 * on the scope, because a scope takes one process, and its counters go with it when that process is killed.
 */
export const systemdRun: PodMechanism = {
  name: 'systemd-run',

  async probe() {
    await using pod = await createPod(PROBE)
    await proveEntry(pod)
    return 'the user manager of systemd makes slices with a memory limit'
  },

  create: createPod,

  async sweep() {
    const listed = await systemctl(
      'list-units',
      '--type=slice',
      '--plain',
      '--no-legend',
      '--all',
      'lakeduel_*',
    )
    for (const line of listed.split('\n')) {
      const slice = line.trim().split(' ')[0] ?? ''
      if (isAbandonedPodName(podNameOf(slice))) await removeSlice(slice)
    }
  },
}

async function createPod(request: PodRequest): Promise<Pod> {
  const slice = sliceOf(nextPodName(request.name))
  const limit = request.memoryCapBytes === null ? 'infinity' : String(request.memoryCapBytes)
  const properties = ['MemoryAccounting=yes', `MemoryMax=${limit}`, 'MemorySwapMax=0']
  try {
    await systemctl('set-property', '--runtime', slice, ...properties)
    await systemctl('start', slice)
    const directory = await cgroupOf(slice)
    return new CgroupPod({
      mechanism: 'systemd-run',
      memoryCapBytes: request.memoryCapBytes,
      processes: () => sliceProcesses(directory),
      files: new CgroupV2Files(directory),
      enter: ({ file, args }) => ({
        file: 'systemd-run',
        args: ['--user', '--scope', '--quiet', '--collect', `--slice=${slice}`, '--', file, ...args],
      }),
      remove: () => removeSlice(slice),
    })
  } catch (error) {
    await removeSlice(slice)
    throw error
  }
}

async function cgroupOf(slice: string): Promise<string> {
  const path = await systemctl('show', '--property=ControlGroup', '--value', slice)
  const mountPoint = unifiedMountPoint()
  if (path === '' || mountPoint === null) throw new Error(`the slice ${slice} got no cgroup`)
  return join(mountPoint, path)
}

/** Each scope of a slice has a cgroup of its own below the slice's. */
function sliceProcesses(directory: string): readonly number[] {
  if (!existsSync(directory)) return []
  const scopes = readdirSync(directory, { withFileTypes: true }).filter((entry) => entry.isDirectory())
  return scopes.flatMap((scope) => cgroupProcesses(join(directory, scope.name)))
}

async function removeSlice(slice: string): Promise<void> {
  await execa('systemctl', ['--user', 'stop', slice], { reject: false })
  await execa('systemctl', ['--user', 'revert', slice], { reject: false })
}

async function systemctl(...args: readonly string[]): Promise<string> {
  const { stdout } = await execa('systemctl', ['--user', ...args])
  return stdout
}

/** A hyphen in a slice's name nests it below another slice, so the name of a pod is written with underscores. */
function sliceOf(podName: string): string {
  return `${podName.replaceAll('-', '_')}.slice`
}

function podNameOf(slice: string): string {
  return slice.replace(/\.slice$/, '').replaceAll('_', '-')
}
