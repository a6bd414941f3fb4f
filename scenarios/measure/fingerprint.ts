import { availableParallelism, cpus, release, totalmem, type } from 'node:os'
import { execa } from 'execa'
import { packageRoot } from '../../platform/package-root.ts'
import { type DetectedMechanism, detectPodMechanism } from '../../platform/pods/mechanism.ts'

/** The machine that a run was measured on: what makes figures comparable, and nothing that names the machine. */
export interface Fingerprint {
  readonly cpuModel: string
  /** Processors that this process may use. */
  readonly cores: number
  readonly memoryBytes: number
  readonly kernel: string
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
    pod: await detectPodMechanism(),
    git: await checkout(),
    nodeVersion: process.versions.node,
    takenAt: new Date().toISOString(),
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
