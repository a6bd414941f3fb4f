import { serveKnownWork } from '../../scenarios/self-test/worker.ts'

await serveKnownWork()
