import { mkdir, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { findExecutable, isExecutable } from '../executables.ts'
import { buildWithGo, type GoProgram } from './go.ts'
import type { Step } from './step.ts'

/** Also the version of the Docker image. */
export const TOXIPROXY_VERSION = '2.12.0'

export const TOXIPROXY_PROGRAM: GoProgram = {
  name: 'Toxiproxy',
  module: `github.com/Shopify/toxiproxy/v2/cmd/server@v${TOXIPROXY_VERSION}`,
  oldestGoMinor: 23,
  expectedSeconds: 20,
  without: 'There is no proxy for network profiles and faults: no Docker engine answers, and',
  withoutGo:
    'Start Docker, or install Go 1.23 or newer (https://go.dev/dl), or put a `toxiproxy-server` on PATH, or set LAKEDUEL_TOXIPROXY to the address of one that runs; the network profile `loopback` needs none.',
  whenBuildFails:
    'Check that Go reaches its module proxy (go env GOPROXY), or use the network profile `loopback`.',
}

/** Toxiproxy's server: from PATH, else from `home`, else built there from its Go module. */
export const toxiproxyStep: Step<string> = {
  title: 'Toxiproxy',
  find: async (home) => {
    const built = builtBinary(home)
    return (await findExecutable('toxiproxy-server')) ?? ((await isExecutable(built)) ? built : null)
  },
  make: async (context) => {
    await buildWithGo(TOXIPROXY_PROGRAM, context)
    const target = builtBinary(context.home)
    await mkdir(join(context.home, 'bin'), { recursive: true })
    await rename(join(context.workDir, 'server'), target)
    return target
  },
}

function builtBinary(home: string): string {
  return join(home, 'bin', `toxiproxy-v${TOXIPROXY_VERSION}`)
}
