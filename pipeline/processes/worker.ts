import { runWorker } from '../load/worker.ts'
import { openState } from '../state/store.ts'
import { runChild } from './child-process.ts'
import { workerRequestSchema } from './protocol.ts'

/** What the worker itself takes of its pod: Node, the driver of Postgres, pg-boss. */
const OWN_BYTES = 144 * 2 ** 20

/** The worker as a child of `lakeduel sync`. @param loadEntry the program of the load process */
export function serveWorker(loadEntry: URL): Promise<void> {
  return runChild(workerRequestSchema, async (request, { drain, emit }) => {
    const { surroundings, memoryBytes, queue } = request
    await using state = await openState(surroundings.postgres, {
      schema: surroundings.stateSchema,
      supervise: true,
      queue,
    })
    const peakBytes = await runWorker({
      state,
      surroundings,
      loadEntry,
      loadMemoryBytes: loadMemoryOf(memoryBytes),
      concurrency: request.concurrency,
      graceMs: request.graceMs,
      requestDeadlineMs: request.requestDeadlineMs,
      drain,
      report: emit,
    })
    emit({ event: 'drained', peakBytes })
  })
}

/** What load processes may take of a pod that they share with their worker. */
export function loadMemoryOf(podBytes: number | null): number | null {
  return podBytes === null ? null : Math.max(podBytes - OWN_BYTES, Math.floor(podBytes / 2))
}
