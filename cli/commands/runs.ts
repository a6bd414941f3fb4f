import Table from 'cli-table3'
import { Command, Option } from 'commander'
import { ARMS, type Arm, type Format, formatOf } from '../../backends/backend.ts'
import type { RunDetails } from '../../pipeline/state/details.ts'
import { RUN_STATUSES, type Run } from '../../pipeline/state/model.ts'
import { openState, STATE_DEFAULTS, type State } from '../../pipeline/state/store.ts'
import { loadConfig } from '../../platform/config/load.ts'
import { openLakeServices } from '../../platform/services/lake.ts'
import { formatBytes, formatCount } from '../../reports/format.ts'
import { chosen } from '../bench/nearest.ts'
import { parseCount } from '../sync/values.ts'

interface RunsOptions {
  readonly json: boolean
  readonly config?: string
  readonly storage?: string
}

const DEFAULT_LAKE = 'lake'

const EXAMPLES = `
Examples:
  lakeduel runs list --status failed
  lakeduel runs show RUN          its batches that wait, its dead rows, and why it failed
  lakeduel runs retry RUN         takes up a failed run, and what was given up, after the cause is put right
  lakeduel runs cancel RUN        ends a run; what is committed stays in the table
  lakeduel runs carry-over orders --from delta --to ducklake      after a migration's cutover
`

/** `lakeduel runs list | show | retry | cancel | carry-over`. */
export function runsCommand(): Command {
  const command = new Command('runs')
    .description('shows the runs of `lakeduel sync`, and ends or revives them')
    .addHelpText('after', EXAMPLES)
  command.addCommand(
    outputCommand('list', 'the newest runs, or those of a status')
      .option('--status <statuses>', `of ${RUN_STATUSES.join(', ')}; separated by commas`)
      .option('--limit <n>', 'at most so many', parseCount, 20)
      .action(list),
  )
  command.addCommand(outputCommand('show', 'all of one run').argument('<run>').action(show))
  command.addCommand(
    outputCommand('retry', 'revive a failed run and its dead work').argument('<run>').action(retry),
  )
  command.addCommand(outputCommand('cancel', 'end a run for good').argument('<run>').action(cancel))
  command.addCommand(
    outputCommand('carry-over', 'let the next sync of a table that was migrated go on in the other format')
      .argument('<table>', 'as it is called in the lake')
      .addOption(formatOption('--from', 'the format that it was synced into'))
      .addOption(formatOption('--to', 'the format that it was moved to'))
      .option('--lake <name>', 'the lake of both', DEFAULT_LAKE)
      .action(carry),
  )
  return command
}

function outputCommand(name: string, description: string): Command {
  return new Command(name)
    .description(description)
    .option('--json', 'print JSON', false)
    .option('--storage <kind>', 's3, or local for tables in a directory')
    .option('--config <file>', 'a config file instead of lakeduel.config.json')
}

async function withState<T>(options: RunsOptions, work: (state: State) => Promise<T>): Promise<T> {
  const storage =
    options.storage === undefined
      ? undefined
      : chosen('storage', [options.storage], ['s3', 'local'] as const)[0]
  const config = await loadConfig({ flags: { storage }, configFile: options.config })
  const { postgres } = await openLakeServices(config)
  await using state = await openState(postgres, { schema: STATE_DEFAULTS.schema })
  return await work(state)
}

async function list(
  options: RunsOptions & { readonly status?: string; readonly limit: number },
): Promise<void> {
  const statuses = options.status?.split(',')
  const filter = statuses === undefined ? {} : { statuses: chosen('status', statuses, RUN_STATUSES) }
  const runs = await withState(options, (state) => state.runs.list({ ...filter, limit: options.limit }))
  print(options, { runs }, runs.length === 0 ? 'There are no runs.' : tableOf(runs))
}

async function show(runId: string, options: RunsOptions): Promise<void> {
  const details = await withState(options, (state) => state.runs.details(runId))
  print(options, details, describe(details))
}

async function retry(runId: string, options: RunsOptions): Promise<void> {
  const revived = await withState(options, (state) => state.runs.retry(runId))
  print(
    options,
    { runId, revived },
    `Run ${runId} goes on: ${formatCount(revived)} pieces of work were revived. Start the sync or a worker to carry them out.`,
  )
}

async function cancel(runId: string, options: RunsOptions): Promise<void> {
  await withState(options, (state) => state.runs.cancel(runId))
  print(
    options,
    { runId, status: 'cancelled' },
    `Run ${runId} is cancelled. A worker removes what it has staged.`,
  )
}

interface CarryOptions extends RunsOptions {
  readonly from: Format
  readonly to: Format
  readonly lake: string
}

async function carry(table: string, options: CarryOptions): Promise<void> {
  const { lake, from, to } = options
  const destination = (format: Format) => ({ arm: armOf(format), lake, table, settings: {} })
  const { mark } = await withState(options, (state) =>
    state.runs.carryOver(destination(from), destination(to)),
  )
  print(
    options,
    { table, from, to, mark },
    `The next sync of ${table} into ${to} goes on where the last one into ${from} stopped.`,
  )
}

function formatOption(flag: string, description: string): Option {
  return new Option(`${flag} <format>`, description).choices(['delta', 'ducklake']).makeOptionMandatory()
}

/** Tables are told apart by their format, whichever of its arms writes them. */
function armOf(format: Format): Arm {
  const arm = ARMS.find((one) => formatOf(one) === format)
  if (arm === undefined) throw new RangeError(`there is no arm of ${format}`)
  return arm
}

function tableOf(runs: readonly Run[]): string {
  const table = new Table({
    head: ['run', 'table', 'mode', 'status', 'rows', 'batches', 'started'],
    style: { head: [], border: [], compact: true },
  })
  for (const { runId, spec, status, counts, createdAt } of runs) {
    const batches = `${formatCount(counts.batchesCommitted)} of ${formatCount(counts.batchesStaged)}`
    const where = `${spec.destination.table} (${spec.destination.arm})`
    const started = createdAt.toISOString().slice(0, 19)
    table.push([runId, where, spec.mode, status, formatCount(counts.rowsCommitted), batches, started])
  }
  return table.toString()
}

function describe({ run, extractedBy, unfinished, deadRows }: RunDetails): string {
  const { spec, counts } = run
  const lines = [
    `run          ${run.runId}`,
    `source       ${spec.source.name}, ${spec.source.table}`,
    `table        ${spec.destination.table} in lake ${spec.destination.lake} (${spec.destination.arm}), ${spec.mode}`,
    `status       ${run.status}${run.extracted ? ', all is extracted' : ''}${extractedBy === null ? '' : `, extracted by ${extractedBy}`}`,
    `rows         ${formatCount(counts.rowsStaged)} staged (${formatBytes(counts.bytesStaged)}), ${formatCount(counts.rowsCommitted)} in the table, ${formatCount(counts.rowsDead)} dead`,
    `batches      ${formatCount(counts.batchesCommitted)} of ${formatCount(counts.batchesStaged)} committed`,
  ]
  const failure = run.failure
  if (failure !== null) {
    lines.push(
      `failed       ${failure.class}: ${failure.code}: ${failure.message}`,
      `             ${failure.remedy}`,
    )
    if (failure.bundle !== null) lines.push(`             bundle: ${failure.bundle}`)
  }
  for (const work of unfinished) {
    const index = work.batchIndex === null ? '' : ` ${work.batchIndex}`
    const why = work.failure === null ? '' : `: ${work.failure.code}: ${work.failure.message}`
    const holder = work.claimedBy === null ? '' : `, in hand of ${work.claimedBy}`
    lines.push(
      `${work.status.padEnd(12)} ${work.kind}${index}, ${formatCount(work.rows)} rows, ${work.attempts} failures${holder}${why}`,
    )
  }
  for (const row of deadRows)
    lines.push(
      `dead row     ${JSON.stringify(row.key)} of batch ${row.batchIndex}, ${formatBytes(row.payloadBytes)}: ${row.reason}`,
    )
  return lines.join('\n')
}

function print(options: RunsOptions, data: unknown, text: string): void {
  process.stdout.write(`${options.json ? JSON.stringify(data, null, 2) : text}\n`)
}
