import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { execa } from 'execa'
import { z } from 'zod'
import type { Arm } from '../../backends/backend.ts'
import { LakeduelError } from '../../platform/errors.ts'
import { processTree } from '../../scenarios/import/process-tree.ts'
import { StripeProcess } from '../../scenarios/import/stripe-process.ts'
import { DEFAULT_API_KEY } from '../../scenarios/stripe-server/options.ts'
import { lakeduelCommand, MeasureServices, measureDatabase } from './services.ts'

export interface InvoicesRequest {
  readonly invoices: number
  readonly latencyMs: number
  readonly arm: Arm
  /** The mean time between two kills of a random process; null kills nobody. */
  readonly killEveryMs: number | null
  readonly extractorMemory: string
  readonly loaderMemory: string
}

export interface InvoicesResult {
  readonly invoices: number
  /** Paging with the official client alone, in the same minutes. */
  readonly bareMs: number
  /** From the first page that the sync asked for to the last; null when it was killed and started again. */
  readonly pagingMs: number | null
  /** The whole command: paging, the last batches, compaction. */
  readonly syncMs: number
  readonly pagingOverhead: number | null
  readonly syncOverhead: number
  readonly kills: number
  readonly pages: number
  readonly pagesRepeated: number
  readonly rows: string
  readonly keys: string
}

const outcomeSchema = z.object({
  status: z.string(),
  extractorPeakBytes: z.number().nullable(),
  loaderPeakBytes: z.number().nullable(),
})
/** A million invoices at 100 a page: bare, then as a sync, which may be killed again and again. */
export async function measureInvoices(request: InvoicesRequest, signal: AbortSignal) {
  await using services = await MeasureServices.start(signal)
  const options = { counts: { invoices: request.invoices }, faults: { latencyMs: request.latencyMs } }
  await using server = await StripeProcess.start(entry('stripe-server'), options)
  tell(`paging ${request.invoices} invoices with the client alone`)
  const bare = await pageBare(server.url)
  const database = measureDatabase('invoices')
  const env = {
    ...(await services.variables(database)),
    LAKEDUEL_SOURCE_STRIPE_API_KEY: DEFAULT_API_KEY,
  }
  await using counted = await StripeProcess.start(entry('stripe-server'), options)
  tell('syncing them')
  const synced = await syncInvoices(request, counted, env)
  const contents = await services.contents(database, request.arm, 'invoices')
  const stats = await counted.stats()
  return {
    invoices: request.invoices,
    bareMs: bare.wallMs,
    ...synced,
    pagingOverhead: synced.pagingMs === null ? null : synced.pagingMs / bare.wallMs - 1,
    syncOverhead: synced.syncMs / bare.wallMs - 1,
    pages: stats.pages['invoices'] ?? 0,
    pagesRepeated: stats.pagesRepeated['invoices'] ?? 0,
    rows: contents.rows,
    keys: contents.keys,
  } satisfies InvoicesResult & Record<string, unknown>
}

async function pageBare(url: string): Promise<{ readonly wallMs: number }> {
  const { stdout } = await execa(process.execPath, [
    fileURLToPath(entry('page-invoices')),
    url,
    DEFAULT_API_KEY,
  ])
  return z.object({ rows: z.number(), wallMs: z.number() }).parse(JSON.parse(stdout))
}

async function syncInvoices(
  request: InvoicesRequest,
  server: StripeProcess,
  env: Readonly<Record<string, string>>,
) {
  const startedAt = performance.now()
  const pagesWanted = Math.ceil(request.invoices / 100)
  const memory = ['--extractor-memory', request.extractorMemory, '--loader-memory', request.loaderMemory]
  const source = ['--source', 'stripe', '--set', `baseUrl=${server.url}`, '--table', 'invoices']
  const quick = ['--claim-ttl', '3s', '--retry-backoff', '500ms', '--wait', '--json']
  const { file, args } = lakeduelCommand(['sync', ...source, '--to', request.arm, ...memory, ...quick])
  let kills = 0
  let paging: { readonly firstMs: number; readonly lastMs: number } | null = null
  for (;;) {
    const sync = execa(file, args, { env, reject: false, stdin: 'ignore' })
    const ended = new AbortController()
    const watching = watchPaging(server, pagesWanted, ended.signal).then((seen) => (paging ??= seen))
    const killing = killAtRandom(request.killEveryMs, sync.pid ?? 0, ended.signal, () => (kills += 1))
    const { exitCode, stdout, stderr } = await sync
    ended.abort()
    await Promise.all([watching, killing])
    if (exitCode === 0 && stdout !== '') {
      const { status, ...peaks } = outcomeSchema.parse(JSON.parse(stdout))
      if (status === 'done') {
        const syncMs = performance.now() - startedAt
        return { ...peaks, kills, syncMs, pagingMs: paging === null || kills > 0 ? null : spanOf(paging) }
      }
    }
    if (request.killEveryMs === null)
      throw new LakeduelError('ENGINE_FAILED', `The sync failed: ${stderr.slice(-2_000)}`)
  }
}

function spanOf({ firstMs, lastMs }: { readonly firstMs: number; readonly lastMs: number }): number {
  return lastMs - firstMs
}

const WATCH_MS = 50

/** When the first and the last page were asked for, as the server sees it. */
async function watchPaging(server: StripeProcess, pagesWanted: number, ended: AbortSignal) {
  let firstMs: number | null = null
  while (!ended.aborted) {
    const pages = (await server.stats()).pages['invoices'] ?? 0
    if (pages > 0) firstMs ??= performance.now()
    if (pages >= pagesWanted) break
    await sleep(WATCH_MS)
  }
  return firstMs === null ? null : { firstMs, lastMs: performance.now() }
}

async function killAtRandom(
  everyMs: number | null,
  root: number,
  ended: AbortSignal,
  onKill: () => void,
): Promise<void> {
  if (everyMs === null) return
  while (!ended.aborted) {
    await sleep(everyMs * (0.5 + Math.random()), undefined, { signal: ended }).catch(() => undefined)
    if (ended.aborted) return
    const tree = processTree(root).filter(({ role }) => role !== 'other')
    const victim = tree[Math.floor(Math.random() * tree.length)]
    if (victim === undefined) continue
    process.kill(victim.pid, 'SIGKILL')
    onKill()
    tell(`killed the ${victim.role}`)
  }
}

function entry(name: string): URL {
  return new URL(`../processes/${name}${import.meta.url.slice(-3)}`, import.meta.url)
}

function tell(text: string): void {
  process.stderr.write(`${text}\n`)
}
