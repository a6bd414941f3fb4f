import { messageOf } from '../../../platform/errors.ts'

/** A nested value as the text that is stored, made once, when the row comes in: the object itself takes a multiple of it. */
export class NestedText {
  readonly text: string
  readonly isList: boolean

  constructor(text: string, isList: boolean) {
    this.text = text
    this.isList = isList
  }
}

/** A value that a column can't take; whoever knows the column makes a LakeduelError of it. */
export class Misfit extends Error {
  override readonly name = 'Misfit'
}

/** What a value is, in words that show nothing of it. */
export function natureOf(value: unknown): string {
  if (value instanceof NestedText) return value.isList ? 'a list' : 'an object'
  if (Array.isArray(value)) return 'a list'
  if (typeof value === 'object' && value !== null) return `a ${value.constructor.name}`
  return `a ${typeof value}`
}

/**
 * JSON of a nested value; a bigint in it becomes a text, so that no reader rounds it.
 * @throws Misfit for text over the 512 MiB that a string may have, and for a value that contains itself
 */
export function jsonText(value: unknown): string {
  try {
    return JSON.stringify(value) ?? 'null'
  } catch (error) {
    if (error instanceof TypeError) return jsonTextWithBigints(value)
    throw new Misfit(`cannot be written as JSON: ${messageOf(error)}`)
  }
}

/** Apart, since a replacer makes it several times slower. */
function jsonTextWithBigints(value: unknown): string {
  try {
    return (
      JSON.stringify(value, (_, inner: unknown) => (typeof inner === 'bigint' ? String(inner) : inner)) ??
      'null'
    )
  } catch (error) {
    throw new Misfit(`cannot be written as JSON: ${messageOf(error)}`)
  }
}
