import { closest, distance } from 'fastest-levenshtein'
import { LakeduelError } from '../errors.ts'

/** The error for a key that doesn't exist, naming the nearest one that does. */
export function unknownKey(key: string, known: readonly string[], where: string): LakeduelError {
  const nearest = known.length > 0 ? closest(key, [...known]) : undefined
  const isNear = nearest !== undefined && distance(key, nearest) <= Math.max(3, key.length / 2)
  return new LakeduelError('CONFIG_INVALID', `Unknown setting '${key}' in ${where}.`, {
    facts: { key, nearest, known },
    remedy: isNear ? `Did you mean '${nearest}'?` : `Known are: ${known.join(', ')}.`,
  })
}
