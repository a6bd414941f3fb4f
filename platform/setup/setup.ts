import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { ListrTask } from 'listr2'
import { withDiskFullError } from '../disk.ts'
import { runTasks } from '../progress.ts'
import { checkoutStep } from './checkout.ts'
import { delta2ducklakeStep } from './delta2ducklake.ts'
import { duckdbExtensionsStep, type ExtensionPaths } from './duckdb-extensions.ts'
import { duckdbReleaseStep } from './duckdb-release.ts'
import { withLock } from './lock.ts'
import { minioStep } from './minio.ts'
import { type SidecarSetup, sidecarStep } from './sidecar.ts'
import type { EngineVersions } from './sidecar-requirements.ts'
import type { Step } from './step.ts'
import { toxiproxyStep } from './toxiproxy.ts'

export interface SetupOptions {
  /** Whether a local MinIO will be needed: no endpoint is configured and no Docker engine answers. */
  readonly minio: boolean
  /** Of the sidecar's engines, in place of the locked ones. */
  readonly engines?: EngineVersions
  readonly signal?: AbortSignal
}

export interface SetupResult {
  readonly duckdbExtensions: ExtensionPaths
  readonly sidecar: SidecarSetup
  /** The MinIO binary, or null where none is needed. */
  readonly minio: string | null
}

/**
 * Makes what is missing below `home`, and is quick when nothing is. Two processes at once wait for one another, and a
 * process that is killed leaves nothing half made: everything is made in `home/tmp` and renamed into place.
 * @throws LakeduelError `TOOL_MISSING`, `SETUP_FAILED`, `DISK_FULL`, or the reason of the signal
 */
export async function ensureSetup(home: string, options: SetupOptions): Promise<SetupResult> {
  return (
    (await findAll(home, options)) ?? (await alone(home, options.signal, () => makeMissing(home, options)))
  )
}

/** The MinIO binary, built when it is missing. Errors as in `ensureSetup`. */
export function ensureMinio(home: string, signal?: AbortSignal): Promise<string> {
  return ensure(minioStep, home, signal)
}

/** The Toxiproxy server's binary, built when it is missing. Errors as in `ensureSetup`. */
export function ensureToxiproxy(home: string, signal?: AbortSignal): Promise<string> {
  return ensure(toxiproxyStep, home, signal)
}

/** The environment of a sidecar with these engines, made when it is missing. Errors as in `ensureSetup`. */
export function ensureSidecar(
  home: string,
  engines: EngineVersions,
  signal?: AbortSignal,
): Promise<SidecarSetup> {
  return ensure(sidecarStep(engines), home, signal)
}

/** The interpreter that delta2ducklake runs in, with it, made when it is missing. Errors as in `ensureSetup`. */
export function ensureDelta2ducklake(home: string, signal?: AbortSignal): Promise<string> {
  return ensure(delta2ducklakeStep, home, signal)
}

/** A release of DuckDB with its extensions, which is taken from the folder by `duckdbVariables`. Errors as in `ensureSetup`. */
export async function ensureDuckdb(home: string, release: string, signal?: AbortSignal): Promise<string> {
  const folder = await ensure(duckdbReleaseStep(release), home, signal)
  const python = async () => (await ensure(sidecarStep(), home, signal)).python
  await ensure(duckdbExtensionsStep(python, release), home, signal)
  return folder
}

/** The folder of lakeduel as it was at a commit, with its packages; made when it is missing. Errors as in `ensureSetup`. */
export function ensureCheckout(
  home: string,
  { repository, commit }: { readonly repository: string; readonly commit: string },
  signal?: AbortSignal,
): Promise<string> {
  return ensure(checkoutStep(repository, commit), home, signal)
}

async function ensure<T>(step: Step<T>, home: string, signal: AbortSignal | undefined): Promise<T> {
  const found = await step.find(home)
  if (found !== null) return found
  return alone(home, signal, async () => {
    const { task, result } = obtain(step, {
      home,
      signal: signal ?? new AbortController().signal,
      stopOthers: () => undefined,
    })
    await runTasks([task], { concurrent: false })
    return result
  })
}

/** While no other process sets up the same home; what a killed one left in `tmp` is removed. */
function alone<T>(home: string, signal: AbortSignal | undefined, work: () => Promise<T>): Promise<T> {
  return withDiskFullError(home, () =>
    withLock(join(home, 'setup.lock'), { signal, onWait: ({ pid }) => tellWaiting(pid) }, async () => {
      await emptyTmp(home)
      try {
        return await work()
      } finally {
        await emptyTmp(home)
      }
    }),
  )
}

async function emptyTmp(home: string): Promise<void> {
  // The tools of a killed process may still be writing there for a moment.
  await rm(join(home, 'tmp'), { recursive: true, force: true, maxRetries: 20, retryDelay: 200 })
}

/** What is there, or null when anything is missing. */
async function findAll(home: string, { minio, engines }: SetupOptions): Promise<SetupResult | null> {
  const sidecar = await sidecarStep(engines).find(home)
  const extensions = await duckdbExtensionsStep(noPythonNeeded).find(home)
  const minioBinary = minio ? await minioStep.find(home) : null
  if (sidecar === null || extensions === null || (minio && minioBinary === null)) return null
  return { sidecar, duckdbExtensions: extensions, minio: minioBinary }
}

function noPythonNeeded(): Promise<string> {
  return Promise.reject(new Error('Only making extensions takes a Python'))
}

function tellWaiting(pid: number): void {
  process.stderr.write(`Waiting for the set-up that process ${pid} is doing.\n`)
}

/** The sidecar's environment brings the pip that the extensions take; MinIO builds beside the two. */
async function makeMissing(home: string, options: SetupOptions): Promise<SetupResult> {
  const failed = new AbortController()
  const signal = AbortSignal.any([failed.signal, ...(options.signal === undefined ? [] : [options.signal])])
  const work: Work = { home, signal, stopOthers: (reason) => failed.abort(reason) }
  const sidecar = obtain(sidecarStep(options.engines), work)
  const extensions = obtain(
    duckdbExtensionsStep(async () => (await sidecar.result).python),
    work,
  )
  const minio = options.minio ? obtain(minioStep, work) : null
  await runTasks([sidecar.task, extensions.task, ...(minio === null ? [] : [minio.task])], {
    concurrent: true,
  })
  return {
    sidecar: await sidecar.result,
    duckdbExtensions: await extensions.result,
    minio: minio === null ? null : await minio.result,
  }
}

interface Work {
  readonly home: string
  readonly signal: AbortSignal
  /** So that one failure doesn't leave the user waiting for minutes on the other steps. */
  readonly stopOthers: (reason: unknown) => void
}

/** A step as a task that shows its progress, and what the task will have found or made. */
function obtain<T>(
  step: Step<T>,
  work: Work,
): { readonly task: ListrTask<void>; readonly result: Promise<T> } {
  const { promise, resolve, reject } = Promise.withResolvers<T>()
  // Nobody may be waiting for it yet when it fails; the task itself carries the failure.
  promise.catch(() => undefined)
  const run = async (report: (line: string) => void): Promise<void> => {
    try {
      resolve(await findOrMake(step, work, report))
    } catch (error) {
      reject(error)
      work.stopOthers(error)
      throw error
    }
  }
  const task: ListrTask<void> = {
    title: step.title,
    task: (_, listed) =>
      run((line) => {
        listed.output = line
      }),
  }
  return { task, result: promise }
}

async function findOrMake<T>(
  step: Step<T>,
  { home, signal }: Work,
  report: (line: string) => void,
): Promise<T> {
  const found = await step.find(home)
  if (found !== null) return found
  signal.throwIfAborted()
  await mkdir(join(home, 'tmp'), { recursive: true })
  const workDir = await mkdtemp(join(home, 'tmp', 'setup-'))
  try {
    return await step.make({ home, workDir, signal, report })
  } finally {
    await rm(workDir, { recursive: true, force: true })
  }
}
