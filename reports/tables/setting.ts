/** What the figures were measured with: settings, data, machine, services. */
import {
  formatAxisValue,
  formatBytes,
  formatCount,
  formatDuration,
  formatRatio,
  formatScalar,
} from '../format.ts'
import type { Axis, Results, Run, Scenario } from '../schema.ts'
import { median } from '../statistics/quantile.ts'
import type { ScenarioSummary } from '../summary.ts'
import { NONE, type Table, text } from './table.ts'

/** The settings of each arm: one row for each value that a setting has in some cell. */
export function settingsTable({ cells }: ScenarioSummary): Table {
  const rows = new Map<string, readonly string[]>()
  for (const { arm, settings } of cells) {
    for (const [key, value] of Object.entries(settings)) {
      const row = [arm, key, formatScalar(value)]
      rows.set(JSON.stringify(row), row)
    }
  }
  const sorted = [...rows.values()].toSorted(([a = '', b = ''], [c = '', d = '']) =>
    a === c ? Number(b > d) - Number(b < d) : Number(a > c) - Number(a < c),
  )
  return {
    title: 'Settings of each arm',
    columns: [text('arm'), text('setting'), text('value')],
    rows: sorted,
  }
}

export function scenarioTable({ axes, parameters, memoryCapBytes, repeat, data }: Scenario): Table {
  const datasets = Object.entries(data)
  return {
    title: 'Axes, parameters and data',
    columns: [text('what'), text('value')],
    rows: [
      ...axes.map((axis) => [`${axis.name}: ${axis.description}`, describeValues(axis)]),
      ...Object.entries(parameters).map(([name, value]) => [name, formatScalar(value)]),
      ['memory cap of the loader', memoryCapBytes === null ? 'none' : formatBytes(memoryCapBytes)],
      ['interleaved repetitions', formatCount(repeat)],
      ...datasets.flatMap(([key, facts]) => dataRows(datasets.length === 1 ? 'the table' : key, facts)),
    ],
  }
}

function describeValues(axis: Axis): string {
  return axis.values.map((value) => formatAxisValue(value, axis)).join(', ')
}

function dataRows(name: string, facts: Scenario['data'][string]): readonly (readonly string[])[] {
  return [
    [`rows of ${name}`, formatCount(facts.rows)],
    [`payload of ${name}`, formatBytes(facts.payloadBytes)],
    ...Object.entries(facts.storedBytes).map(([format, bytes]) => [
      `${name} stored as ${format}`,
      formatBytes(bytes),
    ]),
    [`compression ratio of ${name}`, formatRatio(facts.compressionRatio)],
  ]
}

export function environmentTable({ lakeduelVersion, run, environment }: Results): Table {
  const { pod, git, limits, versions } = environment
  const rows = [
    ['run', `${run.id}, ${run.startedAt} to ${run.finishedAt ?? 'not finished'}`],
    ['profile, seed', `${run.plan.profile}, ${run.plan.seed}`],
    ['processor', `${environment.cpuModel}, ${formatCount(environment.cores)} cores`],
    ['memory', formatBytes(environment.memoryBytes)],
    ['page size', environment.pageSizeBytes === null ? NONE : formatBytes(environment.pageSizeBytes)],
    ['limit of the whole run', describeLimits(limits)],
    ['cap enforced by', pod.reason === '' ? pod.mechanism : `${pod.mechanism} (${pod.reason})`],
    ['kernel', environment.kernel],
    ['storage', describeStorage(run)],
    ['network', describeNetwork(run)],
    ...Object.entries(run.floors).map(([role, floor]) => [`floor of ${role}`, describeFloor(floor)]),
    ['lakeduel', lakeduelVersion],
    ['commit', git === null ? 'unknown' : `${git.sha}${git.dirty ? ', with changes' : ''}`],
    ...Object.entries(versions).map(([name, version]) => [name, version ?? NONE]),
  ]
  return { title: 'Environment', columns: [text('what'), text('value')], rows }
}

function describeLimits({ memoryBytes, cpus }: Results['environment']['limits']): string {
  const memory = memoryBytes === null ? [] : [formatBytes(memoryBytes)]
  const processors = cpus === null ? [] : [`${cpus} CPUs`]
  return [...memory, ...processors].join(', ') || NONE
}

function describeStorage({ storage }: Run): string {
  if (storage.kind === 'local') return 'local directory'
  return `S3, ${storage.origin}, ${storage.version}${storage.loopback ? ', over loopback' : ''}`
}

function describeNetwork({ network }: Run): string {
  if (network === null) return 'no latency added'
  const links = [
    ['S3', network.s3],
    ['Postgres', network.postgres],
  ] as const
  const described = links.map(([name, { latencyMs, jitterMs, calibration }]) => {
    const measured =
      calibration === null
        ? 'not calibrated'
        : `measured ${formatDuration(calibration.proxiedMs)} against ${formatDuration(calibration.directMs)} without it; ${formatDuration(calibration.proxyCostMs)} is the proxy's own`
    return `${name} ${latencyMs} ms ± ${jitterMs} (${measured})`
  })
  return `${network.profile}: ${described.join(', ')}`
}

function describeFloor({ rssBytes, startMs }: Run['floors'][string]): string {
  const memory = rssBytes.length === 0 ? [] : [formatBytes(median(rssBytes))]
  const start = startMs.length === 0 ? [] : [`starts in ${formatDuration(median(startMs))}`]
  return [...memory, ...start].join(', ') || NONE
}
