import { randomUUID } from 'node:crypto'

/**
 * What Postgres' list of connections calls those of this process that write to a lake, so that from one of them all are
 * found: a process that is stopped in the middle of a commit holds up others by each of them.
 */
export const PROCESS_NAME = `lakeduel ${process.pid} ${randomUUID().slice(0, 8)}`
