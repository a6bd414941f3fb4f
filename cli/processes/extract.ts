import { serveExtract } from '../../pipeline/processes/extract.ts'

await serveExtract()
