/**
 * Where a read of a list stands. Stripe's own cursor is the id of an object, and it fails once that object is deleted. Then
 * the read goes on at the object's second, `created[lte]`; what had been read of that second would come twice, so its ids
 * are part of the position. They are as many as were created in one second.
 */
import { z } from 'zod'

export const positionSchema = z.strictObject({
  /** The last object that was read. */
  after: z.string(),
  /** Its `created`; null in a list whose objects have none. */
  created: z.int().nullable(),
  /** The objects that were read with that `created`, `after` among them; in a list without it, all that were read. */
  seen: z.array(z.string()),
})
export type Position = Readonly<z.infer<typeof positionSchema>>

/** An object of a list: as Stripe sent it, but for what is needed here unknown. */
export interface StripeObject {
  readonly [name: string]: unknown
  readonly id: string
}

/** @param rows what was read after `position`, in order; at least one */
export function advance(position: Position | null, rows: readonly StripeObject[]): Position | null {
  const last = rows.at(-1)
  if (last === undefined) return position
  const created = createdOf(last)
  const here = rows.filter((row) => createdOf(row) === created).map((row) => row.id)
  const before = position?.created === created ? position.seen : []
  return { after: last.id, created, seen: [...before, ...here] }
}

export function createdOf(row: StripeObject): number | null {
  return typeof row['created'] === 'number' ? row['created'] : null
}
