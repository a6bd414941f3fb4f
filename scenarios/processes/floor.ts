import type { BackendEnvironment } from '../../backends/backend.ts'
import { openSession } from '../../backends/reader.ts'
import type { Connect } from './loader.ts'
import { type FloorRequest, floorRequestSchema } from './protocol.ts'
import { serve } from './serve.ts'

interface Idle extends AsyncDisposable {
  /** The process whose floor is asked for. */
  readonly processId: number
}

/** A process that holds what is asked for and does no work, to be looked at once it is `ready`. */
export function serveFloor(connect: Connect): Promise<void> {
  return serve(floorRequestSchema, async ({ role, environment }, channel) => {
    await using idle = await OPENERS[role](environment, connect)
    await channel.emit({ event: 'ready', processes: { [role]: idle.processId }, settings: {}, versions: {} })
    await channel.waitFor('exit')
  })
}

const OPENERS: Readonly<
  Record<FloorRequest['role'], (environment: BackendEnvironment, connect: Connect) => Promise<Idle>>
> = {
  node: async () => ({ processId: process.pid, [Symbol.asyncDispose]: async () => undefined }),
  engine: async (environment) => {
    const session = await openSession(environment, ['ducklake', 'postgres_scanner'])
    return { processId: process.pid, [Symbol.asyncDispose]: async () => session[Symbol.asyncDispose]() }
  },
  sidecar: async (environment, connect) => {
    const backend = await connect('delta/merge', environment, {})
    const { sidecar } = backend.processes
    if (sidecar === undefined) throw new Error('the backend tells of no sidecar')
    return { processId: sidecar, [Symbol.asyncDispose]: async () => backend[Symbol.asyncDispose]() }
  },
}
