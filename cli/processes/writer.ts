import { connectBackend } from '../../backends/connect.ts'
import { serveWriter } from '../../scenarios/processes/writer.ts'

await serveWriter(connectBackend)
