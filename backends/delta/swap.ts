import { z } from 'zod'
import type { Storage } from '../../platform/endpoints.ts'
import { uriOf } from '../../platform/endpoints.ts'
import { LakeduelError } from '../../platform/errors.ts'
import { s3Error } from '../../platform/services/s3/errors.ts'
import type { ObjectStore } from '../../platform/storage/object-store.ts'
import { openObjectStore } from '../../platform/storage/object-store.ts'
import type { CommitTag, SwapResult, TablePlace } from '../backend.ts'
import { tableNameSchema } from '../schema.ts'
import type { SidecarProcess } from './sidecar-process.ts'

const LOG = '_delta_log/'
const VERSION_DIGITS = 20

const plannedSchema = z.object({
  alreadyApplied: z.boolean(),
  version: z.int(),
  commit: z.string().nullable(),
})

/** Below the storage's root; a shadow lies below its target, whose log can then name the shadow's files by relative paths. */
export function folderOf(name: string, { shadowOf }: TablePlace): string {
  return shadowOf === undefined ? nameOf(name) : `${nameOf(shadowOf)}/shadow-${nameOf(name)}`
}

/**
 * Commits the swap to the target's log, put-if-absent, and clears away the shadow's own log. Between the two the shadow
 * is a second table with the same files: a call that was killed there is repeated, and only clears away.
 */
export async function swapTables(
  sidecar: SidecarProcess,
  storage: Storage,
  shadow: string,
  target: string,
  tag: CommitTag,
): Promise<SwapResult> {
  const folder = folderOf(target, {})
  const place = { shadowOf: target }
  const uris = { uri: uriOf(storage, folder), shadowUri: uriOf(storage, folderOf(shadow, place)) }
  const { alreadyApplied, version, commit } = await sidecar.request(
    'plan_swap',
    { ...uris, tag },
    plannedSchema,
  )
  if (commit !== null) {
    const key = `${folder}/${LOG}${String(version + 1).padStart(VERSION_DIGITS, '0')}.json`
    const committed = await withStore(storage, (store) => store.putIfAbsent(key, commit))
    if (!committed) throw committedMeanwhile(target)
  }
  await sidecar.request('close', { uri: uris.uri }, z.object({}))
  await dropTable(sidecar, storage, shadow, place)
  return { alreadyApplied, version: String(commit === null ? version : version + 1) }
}

/**
 * Removes the log first, so that what is left by a killed call is no table, and then the files. Those of a shadow stay
 * that its target's log names: they are the target's since a swap.
 */
export async function dropTable(
  sidecar: SidecarProcess,
  storage: Storage,
  name: string,
  place: TablePlace,
): Promise<void> {
  const folder = folderOf(name, place)
  await sidecar.request('close', { uri: uriOf(storage, folder) }, z.object({}))
  await withStore(storage, async (store) => {
    await store.deletePrefix(`${folder}/${LOG}`)
    const kept = await filesOfTarget(sidecar, storage, name, place)
    const keys = (await store.list(`${folder}/`)).map(({ key }) => key)
    await store.deleteKeys(keys.filter((key) => !kept.has(key)))
  })
}

async function filesOfTarget(
  sidecar: SidecarProcess,
  storage: Storage,
  name: string,
  { shadowOf }: TablePlace,
): Promise<ReadonlySet<string>> {
  if (shadowOf === undefined) return new Set()
  const target = folderOf(shadowOf, {})
  const below = folderOf(name, { shadowOf }).slice(target.length + 1)
  const fields = { uri: uriOf(storage, target), folder: `${below}/` }
  const { files } = await sidecar.request('named_files', fields, z.object({ files: z.array(z.string()) }))
  return new Set(files.map((file) => `${target}/${file}`))
}

async function withStore<T>(storage: Storage, action: (store: ObjectStore) => Promise<T>): Promise<T> {
  await using store = openObjectStore(storage)
  try {
    return await action(store)
  } catch (error) {
    if (storage.kind === 'local') throw error
    throw s3Error(error, { url: storage.endpoint.url, bucket: storage.bucket })
  }
}

/** A name is part of a prefix that is deleted, so a wrong one must get no further. */
function nameOf(name: string): string {
  const parsed = tableNameSchema.safeParse(name)
  if (parsed.success) return parsed.data
  throw new LakeduelError('USAGE', `"${name}" is no table name.`, {
    facts: { name },
    remedy: 'A table name is lower snake_case, at most 63 characters.',
  })
}

function committedMeanwhile(target: string): LakeduelError {
  return new LakeduelError('COMMIT_CONFLICT', `Another writer has committed to ${target} during the swap.`, {
    facts: { target },
    remedy: 'Swap again after a short, jittered wait.',
  })
}
