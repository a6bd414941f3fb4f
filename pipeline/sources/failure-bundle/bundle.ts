import { randomBytes } from 'node:crypto'
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { z } from 'zod'
import { columnSchema, lakeTypeSchema } from '../../../backends/schema.ts'
import { withDiskFullError } from '../../../platform/disk.ts'
import { LakeduelError, messageOf } from '../../../platform/errors.ts'
import { maybeWithheldSchema } from './withheld.ts'

export const BUNDLE_FILE = 'bundle.json'
const READ_ME = 'README.md'
/** Beside the folder of the bundles, so that a bundle can be handed on as it is. */
const CURSORS = 'failure-cursors'

const sourceColumnSchema = z.strictObject({
  name: z.string(),
  type: lakeTypeSchema.nullable(),
  nullable: z.boolean(),
})

/** All that is told of a failure. Secrets are never in it, and values of rows only where they were asked for. */
export const bundleSchema = z.strictObject({
  bundleVersion: z.literal(1),
  id: z.string(),
  createdAt: z.iso.datetime(),
  includesValues: z.boolean(),
  lakeduel: z.strictObject({ version: z.string(), node: z.string(), platform: z.string() }),
  runId: z.string().nullable(),
  source: z.strictObject({
    name: z.string(),
    version: z.int(),
    /** By which it is found again: its name, or the path of its folder. */
    from: z.string(),
    /** Without secrets. */
    config: z.record(z.string(), z.json()),
  }),
  failure: z.strictObject({
    class: z.enum(['user', 'source', 'system']),
    code: z.string(),
    message: z.string(),
    remedy: z.string(),
    retryAfterMs: z.number().nullable(),
  }),
  error: z.strictObject({
    /** Of the error and what caused it, outermost first. */
    chain: z.array(
      z.strictObject({
        name: z.string(),
        code: z.string().nullable(),
        fields: z.json(),
        stack: z.array(z.string()),
      }),
    ),
    exchange: z.json(),
  }),
  table: z.strictObject({
    name: z.string(),
    columns: z.array(sourceColumnSchema).nullable(),
    primaryKey: z.array(z.string()),
    parent: z.string().nullable(),
  }),
  /** As they were stored when it failed. */
  lakeColumns: z.array(columnSchema),
  read: z.strictObject({
    incremental: z.strictObject({ field: z.string(), since: maybeWithheldSchema }).nullable(),
    /** Of the last page that was read: the one that failed is the next. */
    cursor: maybeWithheldSchema,
    limits: z.strictObject({ readAheadBytes: z.int(), pageRows: z.int(), maxRowBytes: z.int() }),
  }),
  /** With the path that the bundle was written to. */
  replay: z.string(),
})
export type Bundle = Readonly<z.infer<typeof bundleSchema>>

/** What a bundle withholds, for whoever may see it. */
export const withheldSchema = z.strictObject({ cursor: z.json(), since: z.json() })
export type Withheld = Readonly<z.infer<typeof withheldSchema>>

export function newBundleId(source: string, table: string, at: Date): string {
  const names = `${source}-${table}`.replaceAll(/[^A-Za-z0-9]+/g, '-').slice(0, 60)
  return `${at.toISOString().slice(0, 19).replaceAll(/[:T]/g, '-')}-${names}-${randomBytes(3).toString('hex')}`
}

/**
 * Writes a bundle as a folder of its own, whole or not at all.
 * @returns the folder
 */
export async function storeBundle(
  folder: string,
  bundle: Bundle,
  withheld: Withheld | null,
): Promise<string> {
  const target = join(resolve(folder), bundle.id)
  const making = join(resolve(folder), `.${bundle.id}`)
  await withDiskFullError(folder, async () => {
    await mkdir(making, { recursive: true })
    await writeFile(join(making, BUNDLE_FILE), `${JSON.stringify(bundle, null, 2)}\n`)
    await writeFile(join(making, READ_ME), readMe(bundle))
    if (withheld !== null) await storeWithheld(withheldPath(target), withheld)
    await rename(making, target)
  })
  return target
}

async function storeWithheld(path: string, withheld: Withheld): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 })
  await writeFile(path, `${JSON.stringify(withheld)}\n`, { mode: 0o600 })
}

/** @throws LakeduelError `CONFIG_INVALID` for a folder that holds no bundle */
export async function readBundle(folder: string): Promise<Bundle> {
  try {
    return bundleSchema.parse(JSON.parse(await readFile(join(folder, BUNDLE_FILE), 'utf8')))
  } catch (cause) {
    throw new LakeduelError('CONFIG_INVALID', `${folder} holds no failure bundle: ${messageOf(cause)}`, {
      facts: { folder },
      remedy: `Name the folder that ${BUNDLE_FILE} lies in.`,
      cause,
    })
  }
}

/** What the bundle withholds, where it still lies beside the bundle's folder or in a file of its own. */
export async function readWithheld(bundleFolder: string, path: string | null): Promise<Withheld | null> {
  const file = path ?? withheldPath(resolve(bundleFolder))
  const text = await readFile(file, 'utf8').catch(() => null)
  return text === null ? null : withheldSchema.parse(JSON.parse(text))
}

function withheldPath(bundleFolder: string): string {
  return join(dirname(dirname(bundleFolder)), CURSORS, `${basename(bundleFolder)}.json`)
}

function readMe({
  id,
  failure,
  source,
  table,
  read,
  replay,
  includesValues,
  lakeduel,
  runId,
}: Bundle): string {
  const isWithheld = read.cursor.is === 'withheld' || read.incremental?.since.is === 'withheld'
  return `# ${failure.code}: reading ${table.name} from ${source.name} failed

${failure.message}

${failure.remedy}

- class: ${failure.class}
- source: ${source.name}, version ${source.version}; lakeduel ${lakeduel.version}, Node ${lakeduel.node}, ${lakeduel.platform}
- run: ${runId ?? 'none'}

\`${BUNDLE_FILE}\` has the rest: the error and what caused it, the shape of what was asked and answered, the columns, the settings
without their secrets, and the cursor of the last page that was read. ${includesValues ? 'It holds values of rows, as was asked for.' : 'It holds no value of any row, only what they are.'}

The page that failed is read again by

    ${replay}

with the secrets of the source in the environment or in a file (\`--config\`). Only the shape of the page is printed.
${isWithheld ? `\nThe cursor has texts that may be values of rows. It lies beside this folder, in \`../../${CURSORS}/${id}.json\`; elsewhere, name\nthat file with \`--cursor\`.\n` : ''}`
}
