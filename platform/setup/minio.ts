import { mkdir, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { execa } from 'execa'
import { LakeduelError } from '../errors.ts'
import { findExecutable, isExecutable } from '../executables.ts'
import type { Step, StepContext } from './step.ts'
import { runTool } from './tool.ts'

/** The last commit of the archived project, which publishes no binaries any more. */
export const MINIO_MODULE_VERSION = 'v0.0.0-20260212201848-7aac2a2c5b7c'
const MODULE = `github.com/minio/minio@${MINIO_MODULE_VERSION}`
const OLDEST_GO_MINOR = 24

/** The MinIO server's binary: from PATH, else from `home`, else built there from its Go module. */
export const minioStep: Step<string> = {
  title: 'MinIO',
  find: async (home) => {
    const built = builtBinary(home)
    return (await findExecutable('minio')) ?? ((await isExecutable(built)) ? built : null)
  },
  make: async (context) => {
    const go = await requireGo()
    await build(context, go)
    const target = builtBinary(context.home)
    await mkdir(join(context.home, 'bin'), { recursive: true })
    await rename(join(context.workDir, 'minio'), target)
    return target
  },
}

function builtBinary(home: string): string {
  return join(home, 'bin', `minio-${MINIO_MODULE_VERSION}`)
}

/** Builds for two to three minutes on two cores. */
async function build({ workDir, signal, report }: StepContext, go: string): Promise<void> {
  const startedMs = performance.now()
  let lastLine = 'downloading modules'
  const tell = (): void =>
    report(`${Math.round((performance.now() - startedMs) / 1000)} s of about 180 s: ${lastLine}`)
  const timer = setInterval(tell, process.stderr.isTTY ? 1_000 : 15_000)
  try {
    await runTool(go, ['install', '-v', MODULE], {
      env: { GOBIN: workDir, GOTMPDIR: workDir },
      signal,
      report: (line) => {
        lastLine = line
      },
      remedy:
        'Check that Go reaches its module proxy (go env GOPROXY), or configure an S3 endpoint, or use `--storage local`.',
    })
  } finally {
    clearInterval(timer)
  }
}

/** How to go on without an object store of our own; used wherever one can't be had. */
export const OBJECT_STORE_WAYS_OUT =
  'Start Docker, or install Go 1.24 or newer (https://go.dev/dl), or put a `minio` on PATH, or set LAKEDUEL_S3_ENDPOINT with keys, or use `--storage local`.'

/** @throws LakeduelError `TOOL_MISSING` when there is no Go, or one that is too old to build MinIO with */
export async function requireGo(env: NodeJS.ProcessEnv = process.env): Promise<string> {
  const go = await findExecutable('go', env)
  if (go === null) throw noGo('no Go is on PATH to build MinIO with', null)
  const { stdout } = await execa(go, ['version'], { reject: false })
  const [, major, minor] = /\bgo(\d+)\.(\d+)/.exec(stdout ?? '') ?? []
  if (Number(major) === 1 && Number(minor) >= OLDEST_GO_MINOR) return go
  throw noGo(`${go} is too old to build MinIO with (${stdout.trim() || 'unknown version'})`, stdout)
}

function noGo(what: string, found: string | null): LakeduelError {
  return new LakeduelError(
    'TOOL_MISSING',
    `There is no object store: no endpoint is configured, no Docker engine answers, and ${what}.`,
    {
      facts: { tool: 'go', needed: `1.${OLDEST_GO_MINOR}`, found },
      remedy: OBJECT_STORE_WAYS_OUT,
    },
  )
}
