import { readFileSync } from 'node:fs'
import { availableParallelism, cpus, release, totalmem, type } from 'node:os'
import { join } from 'node:path'
import { execa } from 'execa'
import { packageRoot } from '../../platform/package-root.ts'
import { cgroupOf } from '../../platform/pods/cgroup-location.ts'
import { type DetectedMechanism, detectPodMechanism } from '../../platform/pods/mechanism.ts'

/** The machine that a run was measured on: what makes figures comparable, and nothing that names the machine. */
export interface Fingerprint {
  readonly cpuModel: string
  /** Processors that this process may use. */
  readonly cores: number
  readonly memoryBytes: number
  readonly kernel: string
  readonly pageSizeBytes: number | null
  /** What the cgroup that this process runs in allows; null: no limit, or not known. */
  readonly limits: { readonly memoryBytes: number | null; readonly cpus: number | null }
  readonly pod: DetectedMechanism
  /** Of lakeduel's own checkout; null when it runs from a package. */
  readonly git: { readonly sha: string; readonly dirty: boolean } | null
  readonly nodeVersion: string
  /** When it was taken, ISO 8601 in UTC. */
  readonly takenAt: string
}

export async function takeFingerprint(): Promise<Fingerprint> {
  return {
    cpuModel: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    memoryBytes: totalmem(),
    kernel: `${type()} ${release()}`,
    pageSizeBytes: await pageSize(),
    limits: cgroupLimits(),
    pod: await detectPodMechanism(),
    git: await checkout(),
    nodeVersion: process.versions.node,
    takenAt: new Date().toISOString(),
  }
}

async function pageSize(): Promise<number | null> {
  const { failed, stdout } = await execa('getconf', ['PAGESIZE'], { reject: false })
  return failed ? null : Number(stdout)
}

/** Of this process's own cgroup; those above it may allow less. `cpu.max` holds quota and period in microseconds, or `max`. */
function cgroupLimits(): Fingerprint['limits'] {
  const unified = cgroupOf('self', 'v2')
  const v1 = cgroupOf('self', 'v1 memory')
  const [quota, period] = firstLine(unified, 'cpu.max').split(' ').map(Number)
  const memory = firstLine(unified, 'memory.max') || firstLine(v1, 'memory.limit_in_bytes')
  return {
    memoryBytes: Number(memory) > 0 && Number(memory) < totalmem() ? Number(memory) : null,
    cpus: quota !== undefined && period !== undefined && quota > 0 ? quota / period : null,
  }
}

/** Empty where there is no such file. */
function firstLine(folder: string | null, name: string): string {
  if (folder === null) return ''
  try {
    return readFileSync(join(folder, name), 'utf8').split('\n', 1)[0] ?? ''
  } catch {
    return ''
  }
}

/** Not that of a repository that lakeduel happens to be installed in: the package root must be the top of the checkout. */
async function checkout(): Promise<Fingerprint['git']> {
  const [prefix, head, status] = await Promise.all([
    git('rev-parse', '--show-prefix'),
    git('rev-parse', 'HEAD'),
    git('status', '--porcelain'),
  ])
  if (prefix !== '' || head === null || status === null) return null
  return { sha: head, dirty: status !== '' }
}

async function git(...args: readonly string[]): Promise<string | null> {
  const { failed, stdout } = await execa('git', args, { cwd: packageRoot, reject: false })
  return failed ? null : stdout
}
