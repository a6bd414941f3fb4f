import { z } from 'zod'
import type { Row } from '../source.ts'

/** A place between two rows of a file. Texts have bytes (uncompressed) and lines, Parquet has rows only. */
export const positionSchema = z.strictObject({
  byte: z.int().nonnegative(),
  /** Line ends before it. */
  line: z.int().nonnegative(),
  /** Rows before it. */
  row: z.int().nonnegative(),
})
export type Position = Readonly<z.infer<typeof positionSchema>>

export const BEGINNING: Position = { byte: 0, line: 0, row: 0 }

export interface PlacedRow {
  readonly row: Row
  /** What it took in the file, or about what its values take. */
  readonly bytes: number
  readonly next: Position
}
