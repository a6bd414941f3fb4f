import { LakeduelError } from '../../platform/errors.ts'
import { parseSyncPlan, readSyncFile, type SyncPlan } from './plan.ts'

/** Flags of `lakeduel sync` as commander gives them. */
export interface SyncOptions {
  readonly source?: string
  readonly set: readonly string[]
  readonly sourceConfig?: string
  readonly table: readonly string[]
  readonly as?: string
  readonly to?: string
  readonly lake?: string
  readonly mode?: string
  readonly incrementalField?: string
  readonly primaryKey?: readonly string[]
  readonly partition?: string
  readonly column: readonly string[]
  readonly nested?: string
  readonly engineSet: readonly string[]
  readonly tuned?: string
  readonly file?: string
  readonly maxMemory?: number | null
  readonly extractorMemory?: number | null
  readonly loaderMemory?: number | null
  readonly parallel?: number
  readonly concurrency?: number
  readonly batchRows?: number
  readonly batchBytes?: number
  readonly pageRows?: number
  readonly maxStaged?: number
  readonly grace?: number
  readonly claimTtl?: number
  readonly retryBackoff?: number
  readonly wait: boolean
  readonly worker: boolean
  readonly storage?: string
  readonly config?: string
  readonly includeValues: boolean
  readonly json: boolean
}

/** Flags that say what the file says, and so can't stand beside it. */
const PLAN_FLAGS = [
  'source',
  'table',
  'as',
  'to',
  'lake',
  'mode',
  'incrementalField',
  'primaryKey',
  'partition',
  'column',
  'nested',
  'engineSet',
] as const satisfies readonly (keyof SyncOptions)[]

/**
 * What to sync, from a file or from flags.
 * @throws LakeduelError `USAGE` when it is both or neither, `CONFIG_INVALID`
 */
export async function planOf(options: SyncOptions): Promise<SyncPlan> {
  if (options.file === undefined) return parseSyncPlan(planOfFlags(options), 'the flags')
  const given = PLAN_FLAGS.filter((flag) => isGiven(options[flag]))
  if (given.length > 0) {
    const flags = given.map(
      (flag) => `--${flag.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`,
    )
    throw new LakeduelError('USAGE', `--file says what to sync, and so do ${flags.join(', ')}.`, {
      remedy: 'Put it into the file, or use flags alone.',
    })
  }
  return parseSyncPlan(await readSyncFile(options.file), options.file)
}

function isGiven(value: SyncOptions[keyof SyncOptions]): boolean {
  return Array.isArray(value) ? value.length > 0 : value !== undefined
}

function planOfFlags(options: SyncOptions): unknown {
  const { source, to, table, as } = options
  if (source === undefined || to === undefined) {
    throw new LakeduelError('USAGE', `--${source === undefined ? 'source' : 'to'} is missing.`, {
      remedy: 'For example: lakeduel sync --source postgres --set url=… --table public.orders --to ducklake',
    })
  }
  if (as !== undefined && table.length !== 1) {
    throw new LakeduelError('USAGE', `--as names one table, and ${table.length} are given with --table.`, {
      remedy: 'Give one --table, or use --file for many.',
    })
  }
  const shared = withoutUndefined({
    as,
    mode: options.mode,
    incrementalField: options.incrementalField,
    primaryKey: options.primaryKey,
    partition: options.partition,
    columnTypes: Object.fromEntries(options.column.map((text) => pair(text, '--column'))),
    nested: options.nested,
  })
  return {
    source: { name: source, config: {} },
    to,
    ...withoutUndefined({ lake: options.lake }),
    settings: Object.fromEntries(options.engineSet.map((text) => jsonPair(text, '--engine-set'))),
    tables: table.map((name) => ({ table: name })),
    everyTable: shared,
  }
}

function withoutUndefined(fields: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined))
}

function pair(text: string, flag: string): readonly [string, string] {
  const at = text.indexOf('=')
  if (at > 0) return [text.slice(0, at), text.slice(at + 1)]
  throw new LakeduelError('USAGE', `${flag} takes NAME=VALUE, not "${text}".`)
}

function jsonPair(text: string, flag: string): readonly [string, unknown] {
  const [key, value] = pair(text, flag)
  try {
    return [key, JSON.parse(value)]
  } catch {
    return [key, value]
  }
}
