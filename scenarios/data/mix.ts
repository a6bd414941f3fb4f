/**
 * Seeded pseudo-random numbers as SQL arithmetic: 32 bits of `row`, `salt` and `seed` through the finalizer of
 * MurmurHash3 (Appleby, public domain). Arithmetic only, so that the data of a seed is defined by this formula and
 * not by an engine's `hash()` or `random()`, which change between versions; the tests hold it against a twin in TypeScript.
 * @param row a SQL expression of a whole number from 0 to 2^32
 */
export function mix(row: string, salt: number, seed: number): string {
  const offset = (salt * 40_503 + seed * 2_246_822_519) % 2 ** 32
  const start = `((CAST(${row} AS UBIGINT) * 2654435761 + ${offset}) & 4294967295)`
  const first = `(xor(${start}, ${start} >> 16) * 2246822507 & 4294967295)`
  const second = `(xor(${first}, ${first} >> 13) * 3266489909 & 4294967295)`
  return `xor(${second}, ${second} >> 16)`
}

/** A whole number from 0 to `bound` - 1. */
export function below(bound: number, row: string, salt: number, seed: number): string {
  return `CAST(${mix(row, salt, seed)} % ${bound} AS BIGINT)`
}

/** One of the given texts. */
export function oneOf(texts: readonly string[], row: string, salt: number, seed: number): string {
  const list = texts.map((text) => `'${text.replaceAll("'", "''")}'`).join(', ')
  return `([${list}])[${below(texts.length, row, salt, seed)} + 1]`
}

/** Eight hexadecimal digits. */
export function hex(row: string, salt: number, seed: number): string {
  return `lpad(lower(to_hex(${mix(row, salt, seed)})), 8, '0')`
}
