import { mkdir, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { findExecutable, isExecutable } from '../executables.ts'
import { buildWithGo, type GoProgram } from './go.ts'
import type { Step } from './step.ts'

/** The last commit of the archived project, which publishes no binaries any more. */
export const MINIO_MODULE_VERSION = 'v0.0.0-20260212201848-7aac2a2c5b7c'

export const MINIO_PROGRAM: GoProgram = {
  name: 'MinIO',
  module: `github.com/minio/minio@${MINIO_MODULE_VERSION}`,
  oldestGoMinor: 24,
  expectedSeconds: 180,
  without: 'There is no object store: no endpoint is configured, no Docker engine answers, and',
  withoutGo:
    'Start Docker, or install Go 1.24 or newer (https://go.dev/dl), or put a `minio` on PATH, or set LAKEDUEL_S3_ENDPOINT with keys, or use `--storage local`.',
  whenBuildFails:
    'Check that Go reaches its module proxy (go env GOPROXY), or configure an S3 endpoint, or use `--storage local`.',
}

/** The MinIO server's binary: from PATH, else from `home`, else built there from its Go module. */
export const minioStep: Step<string> = {
  title: 'MinIO',
  find: async (home) => {
    const built = builtBinary(home)
    return (await findExecutable('minio')) ?? ((await isExecutable(built)) ? built : null)
  },
  make: async (context) => {
    await buildWithGo(MINIO_PROGRAM, context)
    const target = builtBinary(context.home)
    await mkdir(join(context.home, 'bin'), { recursive: true })
    await rename(join(context.workDir, 'minio'), target)
    return target
  },
}

function builtBinary(home: string): string {
  return join(home, 'bin', `minio-${MINIO_MODULE_VERSION}`)
}
