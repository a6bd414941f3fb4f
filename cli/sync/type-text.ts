import { z } from 'zod'
import { type LakeType, lakeTypeSchema } from '../../backends/schema.ts'

/** A scalar type as one text: `int64`, `decimal(18,2)`, `timestamptz`. Lists and structs come from the rows themselves. */
export const typeTextSchema = z.string().transform((text, context): LakeType => {
  const [, precision, scale] = /^decimal\((\d+),\s*(\d+)\)$/.exec(text) ?? []
  const type =
    precision === undefined
      ? { kind: text }
      : { kind: 'decimal', precision: Number(precision), scale: Number(scale) }
  const parsed = lakeTypeSchema.safeParse(type)
  if (parsed.success) return parsed.data
  context.addIssue(
    `"${text}" is no column type; write bool, int8 to int64, float32, float64, decimal(DIGITS,DECIMALS), date, timestamp, timestamptz, string, json or binary`,
  )
  return z.NEVER
})
