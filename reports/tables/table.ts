/** The tables that the console, Markdown and HTML reports share, as text: the three differ in nothing but their markup. */
import { formatBytes } from '../format.ts'

export interface Column {
  readonly title: string
  readonly numeric: boolean
  /** What a narrow terminal gives up first: the highest. A column without it always stays. */
  readonly dispensable?: number
  /** The arm whose figures it holds, for the filters of the page. */
  readonly arm?: string
}

export interface Table {
  readonly title: string
  readonly columns: readonly Column[]
  readonly rows: readonly (readonly string[])[]
  /** For the filters of the page, where no column tells it: the points of the rows, in words. */
  readonly places?: readonly string[]
  /** And where the axes are that all rows share, in words. */
  readonly elsewhere?: string
}

/** Stands where a figure wasn't measured, or where the scenario has no such phase. */
export const NONE = '–'

export const text = (title: string): Column => ({ title, numeric: false })
export const figure = (title: string): Column => ({ title, numeric: true })
/** The figures of an arm. */
export const armFigure = (arm: string): Column => ({ ...figure(arm), arm })

export function bytesOrNone(bytes: number | null): string {
  return bytes === null ? NONE : formatBytes(bytes)
}
