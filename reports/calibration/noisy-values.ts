import { metricsOf } from '../metrics.ts'
import type { Phase, SoundCell } from '../schema.ts'

type Change = (name: string, value: number) => number

/** Times, CPU, memory and rates of a cell by the names that `metricsOf` gives; counts are none of them. */
export function noisyValues(cell: SoundCell): readonly (readonly [name: string, value: number])[] {
  return [...metricsOf(cell)].flatMap(([name, { value, kind }]) => (kind === 'count' ? [] : [[name, value]]))
}

/** The cell with other noisy values. Peaks follow from what they are made of: the floor and what was added. */
export function withNoisyValues(cell: SoundCell, change: Change): SoundCell {
  const phases = Object.entries(cell.phases).map(([name, phase]) => [name, changedPhase(name, phase, change)])
  const metrics = Object.entries(cell.metrics).map(([name, metric]) => [
    name,
    metric.kind === 'count' ? metric : { ...metric, value: change(name, metric.value) },
  ])
  return { ...cell, phases: Object.fromEntries(phases), metrics: Object.fromEntries(metrics) }
}

function changedPhase(name: string, phase: Phase, change: Change): Phase {
  const { memory } = phase
  const bytes = (metric: string, value: number) => Math.round(change(`${name}.memory.${metric}`, value))
  return {
    ...phase,
    wallMs: change(`${name}.wallMs`, phase.wallMs),
    cpuSeconds: change(`${name}.cpuSeconds`, phase.cpuSeconds),
    memory: {
      ...memory,
      floorBytes: bytes('floorBytes', memory.floorBytes),
      addedBytes: bytes('addedBytes', memory.addedBytes),
    },
  }
}
