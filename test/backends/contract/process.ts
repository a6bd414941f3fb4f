import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { execa } from 'execa'
import { z } from 'zod'
import type { ApplyMode, Arm, BackendEnvironment, CommitTag, TaggedBatch } from '../../../backends/backend.ts'
import type { ColumnSpec, TableSpec } from '../../../backends/schema.ts'

export interface ApplyRequest {
  readonly verb: 'apply'
  readonly arm: Arm
  readonly environment: BackendEnvironment
  readonly spec: TableSpec
  readonly batches: readonly TaggedBatch[]
  readonly mode: ApplyMode
}

export interface SwapRequest {
  readonly verb: 'swap'
  readonly arm: Arm
  readonly environment: BackendEnvironment
  readonly shadow: string
  readonly target: string
  readonly tag: CommitTag
}

export interface EvolveRequest {
  readonly verb: 'evolve'
  readonly arm: Arm
  readonly environment: BackendEnvironment
  readonly spec: TableSpec
  readonly columns: readonly ColumnSpec[]
}

type Request = ApplyRequest | SwapRequest | EvolveRequest

const openedSchema = z.strictObject({ event: z.literal('opened'), appliedThrough: z.int().nullable() })
const doneSchema = z.strictObject({
  event: z.literal('done'),
  alreadyApplied: z.boolean(),
  durationMs: z.number(),
})

const CHILD = fileURLToPath(new URL('./child.ts', import.meta.url))

/** In a process group of its own, so that all of it can be killed as a pod is: the sidecar with its parent. */
function start(request: Request) {
  return execa(process.execPath, [CHILD], { input: JSON.stringify(request), detached: true })
}

/** Does what is asked for in another process, and waits for its end. */
export async function runInProcess(request: Request) {
  const { stdout } = await start(request)
  const [opened, done] = stdout.split('\n')
  return {
    ...openedSchema.parse(JSON.parse(opened ?? '')),
    ...doneSchema.parse(JSON.parse(done ?? '')),
  }
}

/** Does what is asked for in another process, and kills its whole group so many milliseconds after that began. */
export async function killDuring(request: Request, delayMs: number): Promise<void> {
  const child = start(request)
  await Promise.race([once(child.stdout, 'data'), child])
  await sleep(delayMs)
  killGroup(child.pid)
  await child.catch(() => undefined)
}

function killGroup(pid: number | undefined): void {
  if (pid === undefined) throw new Error('the process that was to be killed never started')
  try {
    process.kill(-pid, 'SIGKILL')
  } catch (error) {
    // It was done before the kill, which is one of the moments that a kill can come at.
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error
  }
}
