/**
 * How DuckLake reads partition values, which it takes from the path of a registered file whenever it reads it, and from
 * nowhere else. These are the rules of DuckDB 1.5's `HivePartitioning`; test/migrate/hive-path.test.ts holds them against it.
 */

const DEFAULT_PARTITION = '__HIVE_DEFAULT_PARTITION__'

/** The `key=value` folders of a path, undecoded. Of two folders with one key the first counts. */
export function hiveSegments(uri: string): ReadonlyMap<string, string> {
  const segments = new Map<string, string>()
  for (const folder of uri.split(/[\\/]/).slice(0, -1)) {
    const [key, value, ...more] = folder.split('=')
    // Another equality sign, and what begins a query in a URL, make a folder an ordinary one.
    const isSegment = key !== undefined && key !== '' && value !== undefined && more.length === 0
    if (isSegment && !/[?\n]/.test(folder) && !segments.has(key)) segments.set(key, value)
  }
  return segments
}

/** What DuckLake makes of a segment's value for a column: a text to be cast, NULL as null, or nothing where it refuses it. */
export function hiveValue(segment: string, isText: boolean): string | null | undefined {
  if (segment.toUpperCase() === 'NULL' || segment === DEFAULT_PARTITION) return null
  const decoded = percentDecode(segment)
  return decoded === '' && !isText ? null : decoded
}

/** Like DuckDB, which leaves alone what is no escape, and refuses what then is no UTF-8. */
function percentDecode(text: string): string | undefined {
  const bytes: number[] = []
  const source = new TextEncoder().encode(text)
  for (let at = 0; at < source.length; at += 1) {
    const escape = source[at] === 0x25 ? hexByte(source, at + 1) : null
    bytes.push(escape ?? source[at] ?? 0)
    if (escape !== null) at += 2
  }
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(new Uint8Array(bytes))
  } catch {
    return undefined
  }
}

function hexByte(source: Uint8Array, at: number): number | null {
  const text = String.fromCharCode(source[at] ?? 0, source[at + 1] ?? 0)
  return /^[0-9a-f]{2}$/i.test(text) ? Number.parseInt(text, 16) : null
}
