import { invalidParameter } from './errors.ts'

const DEFAULT_LIMIT = 10
const MOST = 100
const WHOLE_NUMBER = /^-?\d{1,15}$/

export interface Paging {
  readonly limit: number
  readonly startingAfter: string | null
  readonly endingBefore: string | null
}

/** Bounds of `created` as whole seconds, both of them included; infinite where the request has none. */
export interface CreatedRange {
  readonly from: number
  readonly to: number
}

export type Query = Readonly<Record<string, unknown>>

const PAGING = ['limit', 'starting_after', 'ending_before']
const CREATED = ['created', 'created[gte]', 'created[gt]', 'created[lte]', 'created[lt]']

/** The names that a list of objects with `created` knows, beside those of its own. */
export const LIST_PARAMETERS: readonly string[] = [...PAGING, ...CREATED]
export const LINES_PARAMETERS: readonly string[] = PAGING

/** @throws StripeApiError for a parameter that the list doesn't know, as Stripe does */
export function refuseUnknown(query: Query, known: readonly string[]): void {
  const unknown = Object.keys(query).find((name) => !known.includes(name))
  if (unknown !== undefined)
    throw invalidParameter(unknown, `Received unknown parameter: ${unknown}`, 'parameter_unknown')
}

/** @throws StripeApiError */
export function pagingOf(query: Query): Paging {
  const limit = wholeNumber(query, 'limit') ?? DEFAULT_LIMIT
  const startingAfter = optionalText(query, 'starting_after')
  const endingBefore = optionalText(query, 'ending_before')
  if (limit > MOST)
    throw invalidParameter(
      'limit',
      `This value must be less than or equal to ${MOST} (it currently is '${limit}').`,
    )
  if (limit < 1)
    throw invalidParameter(
      'limit',
      `This value must be greater than or equal to 1 (it currently is '${limit}').`,
    )
  if (startingAfter !== null && endingBefore !== null)
    throw invalidParameter(
      'starting_after',
      'Received both starting_after and ending_before parameters. Please pass in only one.',
    )
  return { limit, startingAfter, endingBefore }
}

/** @throws StripeApiError */
export function createdRangeOf(query: Query): CreatedRange {
  const at = wholeNumber(query, 'created')
  if (at !== null) return { from: at, to: at }
  const after = wholeNumber(query, 'created[gt]')
  const before = wholeNumber(query, 'created[lt]')
  return {
    from: wholeNumber(query, 'created[gte]') ?? (after === null ? Number.NEGATIVE_INFINITY : after + 1),
    to: wholeNumber(query, 'created[lte]') ?? (before === null ? Number.POSITIVE_INFINITY : before - 1),
  }
}

function wholeNumber(query: Query, name: string): number | null {
  const value = optionalText(query, name)
  if (value === null) return null
  if (!WHOLE_NUMBER.test(value))
    throw invalidParameter(name, `Invalid integer: ${value}`, 'parameter_invalid_integer')
  return Number(value)
}

export function optionalText(query: Query, name: string): string | null {
  const value = query[name]
  return typeof value === 'string' ? value : null
}
