import { matchesGlob } from 'node:path'

const GLOB_SIGNS = /[*?[{]/

/** A location taken apart: where to look, and which of the names found there count. */
export interface Location {
  /** The bucket, or null on local disk. */
  readonly bucket: string | null
  /** The folder, key or file before the first part with a glob; without a trailing slash. */
  readonly base: string
  /** Of names relative to `base`; null takes all. */
  readonly pattern: string | null
}

export function parseLocation(text: string): Location {
  const [, bucket = null, path = text] = /^s3:\/\/([^/]+)\/?(.*)$/s.exec(text) ?? []
  const parts = path.split('/')
  const globAt = parts.findIndex((part) => GLOB_SIGNS.test(part))
  if (globAt < 0) return { bucket, base: path.replace(/(.)\/+$/, '$1'), pattern: null }
  const base = parts.slice(0, globAt).join('/')
  return {
    bucket,
    base: base === '' && bucket === null ? (path.startsWith('/') ? '/' : '.') : base,
    pattern: parts.slice(globAt).join('/'),
  }
}

/** Whether a name below the base counts: it matches the glob, and no part of it is hidden as Spark and Unix hide them. */
export function counts({ pattern }: Location, name: string): boolean {
  if (name.split('/').some((part) => /^[._]/.test(part))) return false
  return pattern === null || matchesGlob(name, pattern)
}

/** What a table from there is called when nobody says. */
export function tableNameOf({ bucket, base }: Location): string {
  const last = base.split('/').findLast((part) => part !== '' && part !== '.' && part !== '..')
  return (last ?? bucket ?? 'files').replace(/(?<=.)\.[A-Za-z0-9.]+$/, '')
}
