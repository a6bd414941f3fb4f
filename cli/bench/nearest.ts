import { closest } from 'fastest-levenshtein'
import { LakeduelError } from '../../platform/errors.ts'

/**
 * The chosen names, or all when none were chosen.
 * @throws LakeduelError `USAGE` for a name that isn't known, naming the nearest one
 */
export function chosen<Name extends string>(
  what: string,
  wanted: readonly string[],
  known: readonly Name[],
): readonly Name[] {
  if (wanted.length === 0) return known
  return wanted.map((name) => {
    const found = known.find((candidate) => candidate === name)
    if (found !== undefined) return found
    throw new LakeduelError('USAGE', `There is no ${what} "${name}".`, {
      facts: { [what]: name, known },
      remedy: `Did you mean "${closest(name, [...known])}"? There are: ${known.join(', ')}.`,
    })
  })
}
