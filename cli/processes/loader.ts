import { connectBackend } from '../../backends/connect.ts'
import { serveLoader } from '../../scenarios/processes/loader.ts'

await serveLoader(connectBackend)
