import { readFileSync } from 'node:fs'
import { join, relative } from 'node:path'

type Hierarchy = 'v2' | 'v1 memory' | 'v1 cpuacct'

/** The directory of a process's cgroup, as this process sees it; null where the hierarchy isn't mounted or doesn't show it. */
export function cgroupOf(processId: number | 'self', hierarchy: Hierarchy): string | null {
  const mount = mountOf(hierarchy)
  const path = memberships(processId).get(hierarchy === 'v2' ? '' : hierarchy.slice('v1 '.length))
  if (mount === null || path === undefined) return null
  const below = relative(mount.root, path)
  return below.startsWith('..') ? null : join(mount.point, below)
}

/** Where the unified hierarchy is mounted, or null. */
export function unifiedMountPoint(): string | null {
  return mountOf('v2')?.point ?? null
}

interface Mount {
  /** Which cgroup of the hierarchy shows at the mount point: `/`, or a container's own when it has no cgroup namespace. */
  readonly root: string
  readonly point: string
  readonly type: string
  readonly options: readonly string[]
}

function mountOf(hierarchy: Hierarchy): Mount | null {
  if (process.platform !== 'linux') return null
  const mounted = mounts().find((mount) =>
    hierarchy === 'v2'
      ? mount.type === 'cgroup2'
      : mount.type === 'cgroup' && mount.options.includes(hierarchy.slice('v1 '.length)),
  )
  return mounted ?? null
}

/** Lines of /proc/self/mountinfo: `id parent major:minor root point options… - type source super-options`. */
function mounts(): readonly Mount[] {
  return lines('/proc/self/mountinfo').flatMap((line) => {
    const [before = '', after = ''] = line.split(' - ')
    const [, , , root, point] = before.split(' ')
    const [type, , options] = after.split(' ')
    if (root === undefined || point === undefined || type === undefined || options === undefined) return []
    return [{ root, point, type, options: options.split(',') }]
  })
}

/** Lines of /proc/PID/cgroup: `id:controllers:path`, where the unified hierarchy has no controllers. */
function memberships(processId: number | 'self'): ReadonlyMap<string, string> {
  const paths = new Map<string, string>()
  for (const line of lines(`/proc/${processId}/cgroup`)) {
    const [, controllers = '', ...path] = line.split(':')
    for (const controller of controllers.split(',')) paths.set(controller, path.join(':'))
  }
  return paths
}

function lines(path: string): readonly string[] {
  return readFileSync(path, 'latin1')
    .split('\n')
    .filter((line) => line !== '')
}
