import { connectBackend } from '../../backends/connect.ts'
import { serveLoads } from '../../pipeline/load/load-process.ts'

await serveLoads(connectBackend)
