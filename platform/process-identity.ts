import { execFile } from 'node:child_process'
import { readdir, readFile } from 'node:fs/promises'
import { promisify } from 'node:util'
import { z } from 'zod'

/** A process, told apart from a later one with the same number by its time of start. */
export const processIdentitySchema = z.strictObject({ pid: z.int().positive(), startedAt: z.string() })
export type ProcessIdentity = Readonly<z.infer<typeof processIdentitySchema>>

export interface RunningProcess {
  readonly pid: number
  readonly command: string
}

const run = promisify(execFile)

/** Null when no such process is alive. */
export async function identifyProcess(pid: number): Promise<ProcessIdentity | null> {
  const startedAt = process.platform === 'linux' ? await startTicks(pid) : await startClock(pid)
  return startedAt === null ? null : { pid, startedAt }
}

export async function isAlive(identity: ProcessIdentity): Promise<boolean> {
  return (await identifyProcess(identity.pid))?.startedAt === identity.startedAt
}

/** Field 22 of /proc/PID/stat, in clock ticks since boot, with the boot's id; field 2 may hold spaces and parentheses. */
async function startTicks(pid: number): Promise<string | null> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => null)
  if (stat === null) return null
  const afterName = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  const [state, ticks] = [afterName[0], afterName[19]]
  // A zombie has ended; it only waits for its parent to notice.
  if (state === 'Z' || ticks === undefined) return null
  const boot = await readFile('/proc/sys/kernel/random/boot_id', 'utf8').catch(() => '')
  return `${boot.trim()}:${ticks}`
}

async function startClock(pid: number): Promise<string | null> {
  const listed = await run('ps', ['-o', 'lstart=', '-p', String(pid)]).catch(() => null)
  return listed?.stdout.trim() || null
}

/** Command lines of all processes that this user can see. */
export async function runningProcesses(): Promise<readonly RunningProcess[]> {
  return process.platform === 'linux' ? processesOfProc() : processesOfPs()
}

async function processesOfProc(): Promise<readonly RunningProcess[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name))
  const found = pids.map(async (pid) => {
    const commandLine = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')
    return { pid: Number(pid), command: commandLine.replaceAll('\0', ' ').trim() }
  })
  return (await Promise.all(found)).filter(({ command }) => command !== '')
}

async function processesOfPs(): Promise<readonly RunningProcess[]> {
  const { stdout } = await run('ps', ['-axww', '-o', 'pid=,args='])
  return stdout
    .split('\n')
    .map((line) => /^\s*(\d+)\s+(.*)$/.exec(line))
    .flatMap((match) => (match?.[1] && match[2] ? [{ pid: Number(match[1]), command: match[2] }] : []))
}
