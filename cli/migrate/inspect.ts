import { type Inspection, inspectTable } from '../../migrate/inspect/inspect.ts'
import { parseLocation } from '../../migrate/source/location.ts'
import { openSource } from '../../migrate/source/open.ts'
import { interruptSignal } from '../../platform/interrupt.ts'
import { formatBytes, formatCount, plural } from '../../reports/format.ts'
import { print } from '../source/print.ts'
import { openMigrateSurroundings } from './surroundings.ts'
import { textTable } from './text-table.ts'

export interface InspectOptions {
  readonly asOf?: number
  readonly history: number
  readonly config?: string
  readonly json?: boolean
}

/** `lakeduel migrate inspect URI` */
export async function inspect(uri: string, options: InspectOptions): Promise<void> {
  await using surroundings = await openMigrateSurroundings(options, interruptSignal())
  await using source = await openSource(parseLocation(uri), surroundings)
  const inspection = await inspectTable(source, options.asOf ?? null, options.history)
  print(options, inspection, describe(inspection))
}

function describe(table: Inspection): string {
  return [
    `${table.uri}, version ${table.version}${table.name === null ? '' : `, "${table.name}"`}`,
    ...(table.unreadable === null ? [] : [`! ${table.unreadable}`]),
    '',
    ...facts(table).map(([label, value]) => `${label.padEnd(18)}${value}`),
    '',
    textTable(['column', 'type', 'nullable', 'comment'], columnRows(table)),
    ...(table.history.length === 0
      ? ['', 'No commits are left to tell of its history.']
      : ['', textTable(['version', 'time (UTC)', 'operation', 'files', 'by'], historyRows(table))]),
  ].join('\n')
}

function facts(table: Inspection): readonly (readonly [string, string])[] {
  const { files, protocol, log } = table
  const features = [...new Set([...protocol.readerFeatures, ...protocol.writerFeatures])]
  const rows = files.rows === null ? 'not all files tell' : formatCount(files.rows)
  const all: readonly (readonly [string, string | null])[] = [
    ['protocol', `reader ${protocol.minReaderVersion}, writer ${protocol.minWriterVersion}`],
    ['features', features.join(', ') || 'none'],
    ['column mapping', table.columnMapping === 'none' ? null : `by ${table.columnMapping}`],
    ['description', table.description],
    ['rows', rows],
    ['files', `${formatCount(files.count)}, ${formatBytes(files.bytes)} (${sizes(table)})`],
    ['partitioned by', partitions(table)],
    [
      'deletion vectors',
      files.withDeletionVector === 0
        ? null
        : `${plural(files.deletedRows, 'row')} of ${plural(files.withDeletionVector, 'file')}`,
    ],
    ['elsewhere', files.elsewhere === 0 ? null : `${plural(files.elsewhere, 'file')} outside of its folder`],
    [
      'log',
      `${plural(log.commits, 'commit')}, ${checkpoints(table)}; versions from ${table.oldestVersion} on can be read`,
    ],
    ...Object.entries(table.properties).map(([key, value]) => ['property', `${key} = ${value}`] as const),
  ]
  return all.flatMap(([label, value]) => (value === null ? [] : [[label, value] as const]))
}

function sizes({ files }: Inspection): string {
  return `smallest ${formatBytes(files.smallestBytes)}, median ${formatBytes(files.medianBytes)}, largest ${formatBytes(files.largestBytes)}`
}

function partitions({ partitionColumns, files }: Inspection): string {
  return partitionColumns.length === 0
    ? 'nothing'
    : `${partitionColumns.join(', ')} (${plural(files.partitions, 'partition')})`
}

function checkpoints({ log }: Inspection): string {
  const compacted = log.compacted === 0 ? '' : `, ${log.compacted} compacted`
  return log.checkpoints.length === 0
    ? `no checkpoint${compacted}`
    : `checkpoints at ${log.checkpoints.toReversed().join(', ')}${compacted}`
}

function columnRows({ columns }: Inspection): readonly (readonly string[])[] {
  return columns.map(({ name, type, nullable, comment }) => [
    name,
    type,
    nullable ? 'yes' : 'no',
    comment ?? '',
  ])
}

function historyRows({ history }: Inspection): readonly (readonly string[])[] {
  return history.map(({ version, timestampMs, info, filesAdded, filesRemoved }) => [
    String(version),
    new Date(timestampMs).toISOString().replace('T', ' ').replace('Z', ''),
    info?.operation ?? '',
    `+${filesAdded} -${filesRemoved}`,
    info?.userName ?? info?.engineInfo ?? info?.clientVersion ?? '',
  ])
}
