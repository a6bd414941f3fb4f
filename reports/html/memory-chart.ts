import { formatBytes } from '../format.ts'
import type { ArmSummary } from '../summary/arms.ts'
import { armColor, type LinesChart, plotUnit } from './chart.ts'

/** The series that a measured phase of some seconds records. */
const MEMORY = /^(.+)\.memory$/

/**
 * What the pods of the arms held over the time of applying, or else of the first phase that was long enough to tell, one
 * line an arm: its first repetition that passed. Null where no arm has one.
 */
export function memoryChart(id: string, arms: readonly ArmSummary[]): LinesChart | null {
  const names = arms.map(({ arm }) => arm)
  const phases = arms.flatMap(({ passed }) => passed.flatMap(({ series }) => phasesOf(series)))
  const phase = phases.find((name) => name === 'apply') ?? phases[0]
  if (phase === undefined) return null
  const { divisor } = plotUnit('bytes')
  const curves = arms.flatMap(({ arm, passed }) => {
    const points = passed[0]?.series[`${phase}.memory`]?.points
    return points === undefined ? [] : [{ arm, points }]
  })
  const said = curves.map(({ arm, points }) => {
    const peak = Math.max(...points.map(([, bytes]) => bytes))
    return `${arm} ${formatBytes(peak)} at most in ${((points.at(-1)?.[0] ?? 0) / 1000).toFixed(1)} s`
  })
  const title = `Private memory over the time of ${phase}, first repetition`
  return {
    kind: 'lines',
    id,
    title,
    description: `${title}: ${said.join('; ')}.`,
    xAxis: 'seconds',
    yAxis: 'MiB',
    logarithmic: { x: false, y: false },
    lines: curves.map(({ arm, points }) => ({
      arm,
      label: arm,
      color: armColor(arm, names),
      points: points.map(([ms, bytes]) => [ms / 1000, bytes / divisor] as const),
    })),
  }
}

function phasesOf(series: Readonly<Record<string, unknown>>): readonly string[] {
  return Object.keys(series).flatMap((name) => MEMORY.exec(name)?.[1] ?? [])
}
