/**
 * Text from a results file as a terminal may show it: what moves the cursor, sets a title, turns the direction of writing or has
 * no width is written out, as `\\u{1b}`, so that a name can't rewrite what stands beside it.
 */
export function plainText(value: string): string {
  return value.replaceAll(/[\t\n\r]+/g, ' ').replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, writtenOut)
}

/** The same of a text of several lines, which stay apart. */
export function plainLines(text: string): string {
  return text.split('\n').map(plainText).join('\n')
}

/** A character by its number, as `\\u{1b}`. */
export function writtenOut(hidden: string): string {
  return `\\u{${(hidden.codePointAt(0) ?? 0).toString(16)}}`
}
