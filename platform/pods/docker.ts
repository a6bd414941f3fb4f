import { execa } from 'execa'
import { CgroupV1Files, CgroupV2Files, cgroupProcesses } from './cgroup-files.ts'
import { cgroupOf } from './cgroup-location.ts'
import { CgroupPod } from './cgroup-pod.ts'
import type { Pod, PodMechanism, PodRequest } from './pod.ts'
import { isAbandonedPodName, nextPodName } from './pod-name.ts'
import { PROBE, proveEntry } from './probe.ts'
import type { Command, SpawnOptions } from './subprocess.ts'

/** Only its `sleep` and its `chroot` are used; any image of a GNU userland will do. */
const IMAGE = 'debian:stable-slim'
const HOST_ROOT = '/host'

/**
 * Pods that a Docker engine on this machine makes. The container gives its memory cap and nothing else: processes enter
 * it by `docker exec` and change their root back to the host's, so that they run the same files, on the same network, as
 * the same user as everywhere else. Useful where the user may talk to Docker but own no cgroup, as in hosted CI.
 */
export const docker: PodMechanism = {
  name: 'docker',

  async probe() {
    if (process.platform !== 'linux') throw new Error('Docker runs its containers in another machine here')
    await using pod = await createPod(PROBE)
    await proveEntry(pod)
    return 'a Docker engine on this machine makes containers with a memory limit'
  },

  create: createPod,

  async sweep() {
    const { stdout } = await execa('docker', [
      'ps',
      '--all',
      '--filter',
      'name=lakeduel-',
      '--format',
      '{{.Names}}',
    ])
    for (const name of stdout.split('\n').filter(isAbandonedPodName)) await removeContainer(name)
  },
}

async function createPod(request: PodRequest): Promise<Pod> {
  const name = nextPodName(request.name)
  try {
    await startContainer(name, request.memoryCapBytes)
    const { directory, files, keeper } = await openCgroup(name)
    return new CgroupPod({
      mechanism: 'docker',
      memoryCapBytes: request.memoryCapBytes,
      processes: () => cgroupProcesses(directory).filter((member) => member !== keeper),
      files,
      enter: (command, options) => enterContainer(name, command, options),
      remove: () => removeContainer(name),
    })
  } catch (error) {
    await removeContainer(name)
    throw error
  }
}

/** Memory and swap have the same limit, so swap doesn't help. The host's process ids are kept for those who measure. */
async function startContainer(name: string, memoryCapBytes: number | null): Promise<void> {
  const limits =
    memoryCapBytes === null ? [] : ['--memory', `${memoryCapBytes}b`, '--memory-swap', `${memoryCapBytes}b`]
  const host = ['--network', 'host', '--pid', 'host', '--volume', `/:${HOST_ROOT}`]
  await execa('docker', ['run', '--detach', '--name', name, ...limits, ...host, IMAGE, 'sleep', 'infinity'])
}

/** The container's first process only keeps it alive. It isn't ours to measure, nor to kill: it runs as root. */
async function openCgroup(name: string) {
  const { stdout } = await execa('docker', ['inspect', '--format', '{{.State.Pid}}', name])
  const keeper = Number(stdout)
  const v1 = cgroupOf(keeper, 'v1 memory')
  if (v1 !== null) {
    return { keeper, directory: v1, files: new CgroupV1Files(v1, cgroupOf(keeper, 'v1 cpuacct')) }
  }
  const v2 = cgroupOf(keeper, 'v2')
  if (v2 === null) throw new Error("the container's cgroup can't be seen from here")
  return { keeper, directory: v2, files: new CgroupV2Files(v2) }
}

/** Variables are named, not given: Docker's client takes their values from its own environment, so that no secret is in argv. */
function enterContainer(name: string, command: Command, options: SpawnOptions): Command {
  const inherited = options.extendEnv === false ? {} : process.env
  const variables = Object.keys({ ...inherited, ...options.env }).flatMap((variable) => ['--env', variable])
  const user = `--userspec=${process.getuid?.()}:${process.getgid?.()}`
  const script = 'cd "$1" && shift && exec "$@"'
  const inHost = [
    'chroot',
    user,
    HOST_ROOT,
    '/bin/sh',
    '-c',
    script,
    'lakeduel-pod',
    options.cwd ?? process.cwd(),
  ]
  return {
    file: 'docker',
    args: ['exec', '--interactive', ...variables, name, ...inHost, command.file, ...command.args],
  }
}

async function removeContainer(name: string): Promise<void> {
  await execa('docker', ['rm', '--force', name], { reject: false })
}
