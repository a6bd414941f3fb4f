import { randomInt } from 'node:crypto'

const RANDOM_CHARACTERS = 6
const ALPHABET = '0123456789abcdefghijklmnopqrstuvwxyz'

/** `invoices-20261126T012233-k3x9ab`: readable, and sorted by time for each table. */
export function newRunId(table: string, now: Date): string {
  const second = now.toISOString().slice(0, 19).replaceAll(/[-:]/g, '')
  const random = Array.from({ length: RANDOM_CHARACTERS }, () => ALPHABET[randomInt(ALPHABET.length)])
  return `${table}-${second}-${random.join('')}`
}
