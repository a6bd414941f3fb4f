import { readFile } from 'node:fs/promises'
import { z } from 'zod'
import { MODES } from '../../migrate/plan/decide.ts'
import { LakeduelError, messageOf } from '../../platform/errors.ts'

const tableSchema = z.strictObject({
  uri: z.string().min(1),
  table: z.string().min(1),
  mode: z.enum(MODES).default('auto'),
  asOf: z.int().nonnegative().nullable().default(null),
  own: z.boolean().default(false),
  history: z
    .union([z.int().positive(), z.literal('all')])
    .nullable()
    .default(null),
})
export type ManifestTable = Readonly<z.infer<typeof tableSchema>>

const manifestSchema = z.strictObject({
  /** The DSN of the catalog; --to comes before it. */
  to: z.string().optional(),
  dataPath: z.string().optional(),
  metadataSchema: z.string().optional(),
  tables: z.array(tableSchema).min(1),
})

/**
 * Reads a file that names many tables.
 * @throws LakeduelError `CONFIG_INVALID`
 */
export async function readManifest(path: string) {
  const parsed = manifestSchema.safeParse(await jsonOf(path))
  if (!parsed.success) throw invalid(path, z.prettifyError(parsed.error))
  const names = parsed.data.tables.map(({ table }) => table.toLowerCase())
  const twice = names.find((name, index) => names.indexOf(name) !== index)
  if (twice !== undefined) throw invalid(path, `two tables are to be called ${twice}`)
  const { to, dataPath, metadataSchema, tables } = parsed.data
  return {
    tables,
    ...(to === undefined ? {} : { to }),
    ...(dataPath === undefined ? {} : { dataPath }),
    ...(metadataSchema === undefined ? {} : { metadataSchema }),
  }
}

async function jsonOf(path: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(path, 'utf8'))
  } catch (error) {
    throw invalid(path, messageOf(error))
  }
}

function invalid(path: string, problem: string): LakeduelError {
  return new LakeduelError('CONFIG_INVALID', `${path} can't be taken: ${problem}.`, {
    facts: { path },
    remedy:
      'It is a JSON object with "tables": [{"uri": …, "table": …}], and "mode", "asOf", "own" and "history" of each where they are wanted.',
  })
}
