/**
 * What a chart of the page plots, as data: Chart.js draws it as it is, so that tests can hold the plotted numbers against
 * the results. Colours are names of CSS variables, which the page's script resolves for its colour scheme.
 */
import type { Unit } from '../schema.ts'

export interface Bars {
  readonly kind: 'bars'
  readonly label: string
  /** One per arm, in the unit of the chart; null draws no bar. */
  readonly values: readonly (number | null)[]
  /** CSS variables, one per arm. */
  readonly colors: readonly string[]
}

export interface Points {
  readonly kind: 'points' | 'crosses'
  readonly label: string
  readonly points: readonly { readonly arm: string; readonly value: number }[]
}

/** Arms one below the other, with bars to the right. */
export interface ArmsChart {
  readonly kind: 'arms'
  readonly id: string
  readonly title: string
  /** What the chart says, for those who don't see it. */
  readonly description: string
  readonly axis: string
  readonly stacked: boolean
  readonly arms: readonly string[]
  readonly series: readonly (Bars | Points)[]
  /** Written behind the bar of each arm: its figure, or why it has none. */
  readonly notes: readonly string[]
  /** Arms that failed in some repetition: their notes are marked. */
  readonly failed: readonly boolean[]
  /** A line across all arms, such as the memory cap. */
  readonly limit: { readonly value: number; readonly label: string } | null
}

/** What befell an arm along its line: it failed there, or its level changed. */
export interface Flags {
  readonly kind: 'failed' | 'better' | 'worse' | 'changed'
  readonly arm: string
  readonly color: string
  readonly points: readonly {
    readonly x: number
    /** Null for what has no figure: it is drawn above the plot. */
    readonly y: number | null
    /** What it was, and where, in words. */
    readonly note: string
    /** The point of the scenario, in words, for the filters. */
    readonly at: string
  }[]
}

/** One line an arm over a numeric axis of the scenario or over time, or one mark an arm between two figures. */
export interface LinesChart {
  readonly kind: 'lines'
  readonly id: string
  readonly title: string
  readonly description: string
  readonly xAxis: string
  readonly yAxis: string
  /** A power law is a straight line where both axes are. */
  readonly logarithmic: { readonly x: boolean; readonly y: boolean }
  /** Each arm is one mark, with its label beside it where there is room for that. */
  readonly marked?: true
  readonly lines: readonly {
    readonly arm: string
    /** The arm, and how it grows where enough points show it. */
    readonly label: string
    readonly color: string
    readonly points: readonly (readonly [x: number, y: number])[]
  }[]
  readonly flags?: readonly Flags[]
  /** The x of each point is a moment, in milliseconds since 1970. */
  readonly dated?: true
  /** For the filters: the axis of the scenario that x is along, if any, and where the other axes are, in words. */
  readonly along?: { readonly axis: string | null; readonly elsewhere: string }
  /** Arms that have no line, and why. */
  readonly absent?: readonly string[]
}

export type Chart = ArmsChart | LinesChart

/** The unit in which figures are plotted, and what to divide by to get there. */
export function plotUnit(unit: Unit): { readonly name: string; readonly divisor: number } {
  switch (unit) {
    case 'ms':
      return { name: 'seconds', divisor: 1000 }
    case 's':
      return { name: 'seconds', divisor: 1 }
    case 'bytes':
      return { name: 'MiB', divisor: 1024 ** 2 }
    case 'bytes/s':
      return { name: 'MiB/s', divisor: 1024 ** 2 }
    default:
      return { name: unit, divisor: 1 }
  }
}

/** One hue per format, and a shade of it per arm in the order of names, so that an arm looks alike in all charts. */
export function armColor(arm: string, arms: readonly string[]): string {
  const format = formatOf(arm)
  const family = arms.filter((other) => formatOf(other) === format).toSorted()
  const hue = format === 'ducklake' || format === 'delta' ? format : 'other'
  return `--${hue}-${family.indexOf(arm) % 5}`
}

function formatOf(arm: string): string {
  return arm.split('/')[0] ?? arm
}

/** From this ratio of the largest to the smallest figure on, logarithmic axes show more than linear ones. */
const WIDE_RANGE = 8

/** Whether figures span a wide range; a value of 0 has no place on a logarithmic axis. */
export function isWide(values: readonly number[]): boolean {
  const least = Math.min(...values)
  return least > 0 && Math.max(...values) / least > WIDE_RANGE
}
