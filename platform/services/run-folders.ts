import { randomBytes } from 'node:crypto'
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import {
  identifyProcess,
  isAlive,
  type ProcessIdentity,
  processIdentitySchema,
  runningProcesses,
} from '../process-identity.ts'

/** How long a folder may lie without an owner: between its making and the writing of the owner's file. */
const OWNERLESS_GRACE_MS = 60_000

const SERVERS = ['minio', 'postgres', 'toxiproxy']

/** Where a run's servers and temporary data lie. */
export function runFolder(home: string, name: string): string {
  return join(home, 'run', name)
}

/** Makes the folder of a run for this process; it is swept by the next run should this process be killed. */
export async function createRunFolder(home: string, name: string): Promise<string> {
  const folder = runFolder(home, name)
  await mkdir(join(home, 'run'), { recursive: true })
  await mkdir(folder)
  const draft = join(folder, 'owner.json.draft')
  await writeFile(draft, JSON.stringify(await identifyProcess(process.pid)))
  await rename(draft, join(folder, 'owner.json'))
  return folder
}

/** A folder for files that engines spill to. It is this process's own, so that no other run sweeps it away under them. */
export interface SpillFolder extends AsyncDisposable {
  readonly path: string
}

export async function openSpillFolder(home: string): Promise<SpillFolder> {
  const folder = await createRunFolder(home, `spill-${randomBytes(4).toString('hex')}`)
  const path = join(folder, 'files')
  await mkdir(path)
  return { path, [Symbol.asyncDispose]: () => removeRunFolder(folder) }
}

/** Removes the folders of runs whose owner is dead, and ends the servers that those left running. */
export async function sweepStaleRuns(home: string): Promise<readonly string[]> {
  const runs = join(home, 'run')
  const folders = (await readdir(runs).catch(() => [])).map((name) => join(runs, name))
  const swept: string[] = []
  for (const folder of folders) {
    if (!(await isStale(folder))) continue
    await removeRunFolder(folder)
    swept.push(folder)
  }
  return swept
}

/** Ends the servers whose data lies in the folder, and removes it. */
export async function removeRunFolder(folder: string): Promise<void> {
  for (const pid of await serversIn(folder)) killQuietly(pid)
  // A server that is just ending may still write files into a folder that is being emptied.
  await rm(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 })
}

async function isStale(folder: string): Promise<boolean> {
  const owner = await readOwner(folder)
  if (owner !== null) return !(await isAlive(owner))
  const ageMs = Date.now() - (await stat(folder).catch(() => ({ mtimeMs: Date.now() }))).mtimeMs
  return ageMs > OWNERLESS_GRACE_MS
}

async function readOwner(folder: string): Promise<ProcessIdentity | null> {
  const text = await readFile(join(folder, 'owner.json'), 'utf8').catch(() => null)
  return text === null ? null : processIdentitySchema.parse(JSON.parse(text))
}

/** A server is known by its command line, which names its data folder: process ids may have been given anew since. */
async function serversIn(folder: string): Promise<readonly number[]> {
  const processes = await runningProcesses()
  return processes
    .filter(({ command }) => isServer(command) && command.includes(`${folder}/`))
    .map(({ pid }) => pid)
}

function isServer(command: string): boolean {
  const program = basename(command.split(' ')[0] ?? '')
  return SERVERS.some((server) => program === server || program.startsWith(`${server}-`))
}

function killQuietly(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It has ended by itself in the meantime.
  }
}
