import { serveWorker } from '../../pipeline/processes/worker.ts'

await serveWorker(new URL(`load${import.meta.url.slice(-3)}`, import.meta.url))
