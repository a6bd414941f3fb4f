import { connectBackend } from '../../backends/connect.ts'
import { serveFloor } from '../../scenarios/processes/floor.ts'

await serveFloor(connectBackend)
