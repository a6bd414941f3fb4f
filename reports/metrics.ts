import type { Cell, Metric, Phase } from './schema.ts'

/**
 * Every figure of a cell by name: its own metrics, and those of each phase as `apply.wallMs`, `apply.memory.peakBytes`,
 * `apply.s3.requests`, `apply.s3.GetObject`, `apply.postgres.calls`. What wasn't measured is absent. A cell that ended
 * early has those of the phases before.
 */
export function metricsOf(cell: Cell): ReadonlyMap<string, Metric> {
  if (cell.status === 'skipped') return new Map()
  const phases = phasesOf(cell).flatMap(([name, phase]) =>
    phaseMetrics(phase).map(([metric, value]) => [`${name}.${metric}`, value] as const),
  )
  return new Map([...phases, ...Object.entries(cell.metrics)])
}

/** The phases of a cell that came to their end, in the order of time. */
export function phasesOf(cell: Cell): readonly (readonly [name: string, phase: Phase])[] {
  if (cell.status === 'skipped') return []
  return Object.entries('phases' in cell ? cell.phases : cell.completed)
}

/** The peak of a phase: the processes' floor and what the engine added to it. */
export function peakBytesOf(phase: Phase): number {
  return phase.memory.floorBytes + phase.memory.addedBytes
}

type Kind = Pick<Metric, 'unit' | 'kind'>
const TIME: Kind = { unit: 'ms', kind: 'time' }
const CPU: Kind = { unit: 's', kind: 'cpu' }
const MEMORY: Kind = { unit: 'bytes', kind: 'memory' }
const COUNT: Kind = { unit: 'count', kind: 'count' }
const TRANSFER: Kind = { unit: 'bytes', kind: 'count' }

/** Less of each is better; null where it wasn't measured. */
function phaseMetrics(phase: Phase): readonly (readonly [name: string, metric: Metric])[] {
  const { memory, s3, postgres } = phase
  const values: readonly (readonly [string, number | null, Kind])[] = [
    ['wallMs', phase.wallMs, TIME],
    ['cpuSeconds', phase.cpuSeconds, CPU],
    ['memory.floorBytes', memory.floorBytes, MEMORY],
    ['memory.addedBytes', memory.addedBytes, MEMORY],
    ['memory.peakBytes', peakBytesOf(phase), MEMORY],
    ['memory.cgroupPeakBytes', memory.cgroupPeakBytes, MEMORY],
    ['memory.anonPeakBytes', memory.anonPeakBytes, MEMORY],
    ['memory.pssPeakBytes', memory.pssPeakBytes, MEMORY],
    ['spillPeakBytes', phase.spillPeakBytes, MEMORY],
    ...(s3.status === 'measured' ? s3Values(s3) : []),
    ...(postgres.status === 'measured'
      ? ([
          ['postgres.calls', postgres.calls, COUNT],
          ['postgres.walBytes', postgres.walBytes, TRANSFER],
        ] as const)
      : []),
  ]
  return values.flatMap(([name, value, kind]) =>
    value === null ? [] : [[name, { value, ...kind, better: 'lower' }]],
  )
}

type MeasuredS3 = Extract<Phase['s3'], { status: 'measured' }>

function s3Values({ requests, byOperation, bytesIn, bytesOut }: MeasuredS3) {
  return [
    ['s3.requests', requests, COUNT],
    ...Object.entries(byOperation).map(([operation, count]) => [`s3.${operation}`, count, COUNT] as const),
    ['s3.bytesIn', bytesIn, TRANSFER],
    ['s3.bytesOut', bytesOut, TRANSFER],
  ] as const
}
