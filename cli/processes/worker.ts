import { setPriority } from 'node:os'
import { serveWorker } from '../../pipeline/processes/worker.ts'

// Beside an extractor, loading takes what that leaves: a page that waits for a processor is lost time, a batch is not.
setPriority(10)
await serveWorker(new URL(`load${import.meta.url.slice(-3)}`, import.meta.url))
