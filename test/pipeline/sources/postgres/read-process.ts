import { constants } from 'node:buffer'
import { readFile } from 'node:fs/promises'
import { json } from 'node:stream/consumers'
import { z } from 'zod'
import { postgres } from '../../../../pipeline/sources/postgres/index.ts'

/** Reads a table in a process of its own, keeping nothing, and tells how much memory that took. */
const requestSchema = z.object({ config: z.unknown(), table: z.string(), readAheadBytes: z.number() })
const { config, table: name, readAheadBytes } = requestSchema.parse(await json(process.stdin))
await using source = await postgres.open(postgres.config.parse(config))
const table = (await source.discover()).find((one) => one.name === name)
if (table === undefined) throw new Error(`no table ${name}`)
const limits = { readAheadBytes, pageRows: 50_000, maxRowBytes: constants.MAX_STRING_LENGTH }
const signal = new AbortController().signal
const pages: [rows: number, bytes: number][] = []
for await (const page of source.read({
  table,
  incremental: null,
  resume: null,
  signal,
  limits,
  parents: null,
}))
  pages.push([page.rows.length, page.bytes ?? 0])
const status = await readFile('/proc/self/status', 'utf8')
process.stdout.write(JSON.stringify({ pages, peakKib: Number(/VmHWM:\s+(\d+)/.exec(status)?.[1]) }))
