import { Command } from 'commander'
import { runWorker, type WorkerEvent } from '../../pipeline/load/worker.ts'
import { loadMemoryOf } from '../../pipeline/processes/worker.ts'
import { openState, STATE_DEFAULTS } from '../../pipeline/state/store.ts'
import { interruptSignal } from '../../platform/interrupt.ts'
import { logger } from '../../platform/log.ts'
import { parseMemoryCap } from '../bench/values.ts'
import { openSurroundings } from '../sync/surroundings.ts'
import { parseCount, parseDuration } from '../sync/values.ts'

interface WorkerOptions {
  readonly maxMemory?: number | null
  readonly concurrency: number
  readonly grace: number
  readonly claimTtl: number
  readonly retryBackoff: number
  readonly storage?: string
  readonly config?: string
  readonly json: boolean
}

const EXAMPLES = `
Examples:
  lakeduel worker --max-memory 2GiB               loads one table after another, until it is told to stop
  lakeduel worker --max-memory 8GiB --concurrency 4
  lakeduel worker --json                          a line of JSON for each batch, for log collectors

Any number of workers serve one queue, on any machines: docs/kubernetes.md shows a Deployment. SIGTERM finishes or hands
back what is in hand within --grace, and ends with 0; a second one ends at once.
`

const REQUEST_DEADLINE_MS = 60 * 60_000

/** `lakeduel worker`: loads staged batches of any table until it is told to stop. */
export function workerCommand(): Command {
  return new Command('worker')
    .description('loads the batches that extractors staged, exactly once and within a memory limit')
    .option('--max-memory <size>', 'for the worker with its load processes, such as 2GiB', parseMemoryCap)
    .option('--concurrency <n>', 'tables that are loaded at once', parseCount, 1)
    .option('--grace <duration>', 'how long SIGTERM may take', parseDuration, 30_000)
    .option(
      '--claim-ttl <duration>',
      'how long a silent worker keeps a batch',
      parseDuration,
      STATE_DEFAULTS.queue.claimTtlMs,
    )
    .option(
      '--retry-backoff <duration>',
      'wait after the first failure of a batch',
      parseDuration,
      STATE_DEFAULTS.queue.backoffMs,
    )
    .option('--storage <kind>', 's3, or local for tables in a directory')
    .option('--config <file>', 'a config file instead of lakeduel.config.json')
    .option('--json', 'log lines of JSON on stderr', false)
    .addHelpText('after', EXAMPLES)
    .action(work)
}

async function work(options: WorkerOptions): Promise<void> {
  const drain = interruptSignal()
  await using opened = await openSurroundings(options, drain)
  const { surroundings } = opened
  const queue = {
    ...STATE_DEFAULTS.queue,
    claimTtlMs: options.claimTtl,
    backoffMs: options.retryBackoff,
  }
  await using state = await openState(surroundings.postgres, {
    schema: surroundings.stateSchema,
    supervise: true,
    queue,
  })
  log(options, { event: 'ready' }, 'waiting for batches')
  await runWorker({
    state,
    surroundings,
    loadEntry: new URL(`../processes/load${import.meta.url.slice(-3)}`, import.meta.url),
    loadMemoryBytes: loadMemoryOf(options.maxMemory ?? null),
    concurrency: options.concurrency,
    graceMs: options.grace,
    requestDeadlineMs: REQUEST_DEADLINE_MS,
    drain,
    report: (event) => log(options, event, textOf(event)),
  })
  log(options, { event: 'drained' }, 'drained')
}

function log({ json }: WorkerOptions, event: object, text: string): void {
  if (json) logger.info(event, text)
  else process.stderr.write(`${text}\n`)
}

function textOf(event: WorkerEvent): string {
  switch (event.event) {
    case 'committed':
      return `${event.runId}: batch ${event.batchIndex} committed, ${event.rows} rows${event.sliced ? ', in slices' : ''}`
    case 'rows-dead':
      return `${event.runId}: ${event.rows} rows of batch ${event.batchIndex} can't be loaded; see \`lakeduel runs show\``
    case 'finished':
      return `${event.runId}: done`
    case 'followed':
      return `${event.runId}: ${event.what} done`
    case 'handed-back':
      return `${event.runId}: handed back`
    case 'lost':
      return `${event.runId}: taken over by another worker`
    case 'failed':
      return `${event.runId}: ${event.code}: ${event.message} (${event.outcome === 'dead' ? 'given up' : 'will be tried again'})`
  }
}
