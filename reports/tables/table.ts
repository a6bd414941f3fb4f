/** The tables that the console, Markdown and HTML reports share, as text: the three differ in nothing but their markup. */
import { formatBytes } from '../format.ts'

export interface Column {
  readonly title: string
  readonly numeric: boolean
  /** What a narrow terminal gives up first: the highest. A column without it always stays. */
  readonly dispensable?: number
}

export interface Table {
  readonly title: string
  readonly columns: readonly Column[]
  readonly rows: readonly (readonly string[])[]
}

/** Stands where a figure wasn't measured, or where the scenario has no such phase. */
export const NONE = '–'

export const text = (title: string): Column => ({ title, numeric: false })
export const figure = (title: string): Column => ({ title, numeric: true })

export function bytesOrNone(bytes: number | null): string {
  return bytes === null ? NONE : formatBytes(bytes)
}
