import { z } from 'zod'
import type { JsonValue } from '../source.ts'
import { shapeOf } from './shape.ts'

/** A value that a bundle may show, or its shape where the value lies beside the bundle. */
export const maybeWithheldSchema = z.discriminatedUnion('is', [
  z.strictObject({ is: z.literal('shown'), value: z.json() }),
  z.strictObject({ is: z.literal('withheld'), shape: z.json() }),
])
export type MaybeWithheld = z.infer<typeof maybeWithheldSchema>

/** Numbers, moments and identifiers without meaning; any other text may be what a customer wrote. */
const TELLS_NOTHING = [
  /^[+-]?\d+(?:\.\d+)?$/,
  /^\d{4}-\d\d-\d\d(?:[T ][\d:.]+ ?(?:Z|[+-]\d\d(?::?\d\d)?)?)?$/,
  /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i,
  /^[0-9a-f]{16,}$/i,
]

/**
 * @param isOpaque whether the source says that its cursors and marks hold no values of rows
 * @param names of columns, which a cursor may hold beside values
 */
export function shownOrWithheld(
  value: JsonValue,
  isOpaque: boolean,
  names: ReadonlySet<string>,
): MaybeWithheld {
  if (isOpaque || tellsNothing(value, names)) return { is: 'shown', value: z.json().parse(value) }
  return { is: 'withheld', shape: z.json().parse(shapeOf(value)) }
}

function tellsNothing(value: JsonValue, names: ReadonlySet<string>): boolean {
  if (typeof value === 'string')
    return names.has(value) || TELLS_NOTHING.some((pattern) => pattern.test(value))
  if (typeof value !== 'object' || value === null) return true
  return Object.values(value).every((inner) => tellsNothing(inner, names))
}

/** A message without what it quotes, and without addresses and long numbers. */
export function withoutQuotes(message: string): string {
  return message
    .replaceAll(/"[^"]*"|`[^`]*`|'[^']*'(?![a-z])/g, '…')
    .replaceAll(/[^\s@]+@[^\s@]+/g, '…')
    .replaceAll(/=\s*\([^)]*\)/g, '=(…)')
    .replaceAll(/\d{5,}/g, '…')
}
