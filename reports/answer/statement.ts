import { formatRatio, formatValue } from '../format.ts'
import type { Unit } from '../schema.ts'
import type { Figure } from '../summary/arms.ts'
import { compareArms } from '../summary/comparison.ts'
import type { Spot } from './evidence.ts'

/** A figure of the results that a statement rests on: a median over n repetitions, with what it lies between. */
export interface Source {
  readonly scenario: string
  /** The point in words; empty for a scenario without axes. */
  readonly at: string
  readonly arm: string
  readonly metric: string
  readonly value: number
  readonly unit: Unit
  readonly low: number
  readonly high: number
  readonly n: number
}

/** Text that says nothing without a figure of the results. */
export interface Statement {
  readonly text: string
  readonly sources: readonly Source[]
}

/**
 * Makes a statement of words and of figures, which are statements themselves.
 * @throws TypeError when no part of it rests on a figure: prose that no measurement can change has no place in an answer
 */
export function state(words: TemplateStringsArray, ...parts: readonly (string | Statement)[]): Statement {
  const text = words.reduce((sum, word, index) => `${sum}${word}${textOf(parts[index])}`, '')
  const sources = parts.flatMap((part) => (typeof part === 'string' ? [] : part.sources))
  if (sources.length === 0) throw new TypeError(`no figure of the results is behind "${text}"`)
  return { text, sources }
}

function textOf(part: string | Statement | undefined): string {
  return typeof part === 'object' ? part.text : (part ?? '')
}

/** One after another; the parts that aren't there are left out. Null when none is. */
export function joined(parts: readonly (Statement | null)[], separator: string): Statement | null {
  const there = parts.filter((part) => part !== null)
  if (there.length === 0) return null
  return {
    text: there.map(({ text }) => text).join(separator),
    sources: there.flatMap(({ sources }) => sources),
  }
}

/** The median of a metric, which must have been measured there. */
export function median(spot: Spot, metric: string): Statement {
  const source = sourceOf(spot, metric)
  return { text: formatValue(source.value, source.unit), sources: [source] }
}

/** The median with the interval that holds it, as `8.42 s (8.20 s to 8.90 s)`. */
export function withInterval(spot: Spot, metric: string): Statement {
  const source = sourceOf(spot, metric)
  const { value, unit, low, high, n } = source
  const interval =
    n === 1 ? 'one measurement' : `${formatValue(low, unit)} to ${formatValue(high, unit)}, n ${n}`
  return { text: `${formatValue(value, unit)} (${interval})`, sources: [source] }
}

/** How many times the metric of one arm is that of another: over pairs of repetitions where both are of one point. */
export function timesOf(above: Spot, below: Spot, metric: string): Statement {
  const sources = [sourceOf(above, metric), sourceOf(below, metric)]
  const paired = above.point === below.point ? compareArms(above.arm, below.arm, metric) : null
  return { text: formatRatio(paired?.ratio ?? valueAt(above, metric) / valueAt(below, metric)), sources }
}

/** Words or a number that were worked out from figures. */
export function derived(text: string, ...from: readonly Statement[]): Statement {
  return { text, sources: from.flatMap(({ sources }) => sources) }
}

export function valueAt(spot: Spot, metric: string): number {
  return figureAt(spot, metric).interval.median
}

function sourceOf(spot: Spot, metric: string): Source {
  const { unit, interval } = figureAt(spot, metric)
  const { median: value, low, high, n } = interval
  return { scenario: spot.scenario, at: spot.at, arm: spot.arm.arm, metric, value, unit, low, high, n }
}

function figureAt({ scenario, at, arm }: Spot, metric: string): Figure {
  const figure = arm.figures.get(metric)
  if (figure === undefined)
    throw new RangeError(`${metric} of ${arm.arm} in ${scenario} at "${at}" was not measured`)
  return figure
}
