import { serveReader } from '../../scenarios/processes/reader.ts'

await serveReader()
