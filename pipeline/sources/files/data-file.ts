import { createHash } from 'node:crypto'

export interface DataFile {
  /** Relative to the location, with slashes. */
  readonly name: string
  readonly bytes: number
  readonly modifiedAtMs: number
  /** Changes whenever the content may have: the ETag, or time and size. */
  readonly version: string
}

/** What tells one state of one file from all others, in little space. */
export function idOf({ name, version }: Pick<DataFile, 'name' | 'version'>): string {
  return createHash('sha1').update(name).update('\0').update(version).digest('base64url').slice(0, 12)
}

/** Oldest first, so that what was read is always what is older than what was not. */
export function byAge(
  a: Pick<DataFile, 'name' | 'modifiedAtMs'>,
  b: Pick<DataFile, 'name' | 'modifiedAtMs'>,
): number {
  if (a.modifiedAtMs !== b.modifiedAtMs) return a.modifiedAtMs - b.modifiedAtMs
  return a.name < b.name ? -1 : Number(a.name > b.name)
}
