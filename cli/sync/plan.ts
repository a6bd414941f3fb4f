import { readFile } from 'node:fs/promises'
import { z } from 'zod'
import { ARMS, type Arm } from '../../backends/backend.ts'
import { compactionPolicySchema, syncModeSchema, triggerSchema } from '../../pipeline/state/model.ts'
import { LakeduelError, messageOf } from '../../platform/errors.ts'
import { partitionChoiceSchema } from './partition-choice.ts'
import { typeTextSchema } from './type-text.ts'

/** The arm that a format's name stands for: the one that needs the least memory for any width of row. */
const ARM_OF_FORMAT: Readonly<Record<string, Arm>> = {
  ducklake: 'ducklake/delete-insert',
  delta: 'delta/deltalite',
}

const destinationNameSchema = z.string().transform((name, context) => {
  const arm = ARM_OF_FORMAT[name] ?? ARMS.find((known) => known === name)
  if (arm !== undefined) return arm
  context.addIssue(`"${name}" is no destination; choose ducklake, delta, or one of ${ARMS.join(', ')}`)
  return z.NEVER
})

/** What can be said of one table, or of every table. */
const tableChoices = {
  /** As the lake is to name it; by default the source's name in snake_case. */
  as: z.string().min(1).optional(),
  /** By default incremental where the table has a key and a field to go by, else a full refresh. */
  mode: syncModeSchema.optional(),
  incrementalField: z.string().min(1).optional(),
  primaryKey: z.array(z.string().min(1)).optional(),
  partition: partitionChoiceSchema.optional(),
  /** Types by column, as the lake names them: `{ "amount": "decimal(18,2)" }`. */
  columnTypes: z.record(z.string(), typeTextSchema).optional(),
  nested: z.enum(['json', 'struct']).optional(),
  triggers: z.array(triggerSchema).optional(),
}

const tableSyncSchema = z.strictObject({
  /** As the source names it. */
  table: z.string().min(1),
  ...tableChoices,
})

/** What `lakeduel sync` is asked to do, from flags or from a file. */
const syncPlanSchema = z.strictObject({
  source: z.strictObject({
    name: z.string().min(1),
    /** A text `env:NAME` stands for the value of that variable, which is how secrets stay out of files. */
    config: z.record(z.string(), z.json()).default({}),
  }),
  to: destinationNameSchema,
  lake: z
    .string()
    .regex(/^[a-z][a-z0-9_]{0,30}$/, 'a lake name is lower snake_case, at most 31 characters')
    .default('lake'),
  /** Overrides of the arm's settings. */
  settings: z.record(z.string(), z.unknown()).default({}),
  /** Empty takes every table that the source discovers. */
  tables: z.array(tableSyncSchema).default([]),
  /** What holds for each table that says nothing else. */
  everyTable: z.strictObject(tableChoices).default({}),
  compaction: compactionPolicySchema.default({ minFiles: 200 }),
})
export type SyncPlan = Readonly<z.infer<typeof syncPlanSchema>>

/** @throws LakeduelError `CONFIG_INVALID`, naming the key */
export function parseSyncPlan(input: unknown, where: string): SyncPlan {
  const parsed = syncPlanSchema.safeParse(input)
  if (parsed.success) return parsed.data
  throw new LakeduelError('CONFIG_INVALID', `${where}: ${z.prettifyError(parsed.error)}`, {
    remedy: 'See `lakeduel sync --help`, and docs/sync.md for the whole file.',
  })
}

export async function readSyncFile(path: string): Promise<unknown> {
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    throw new LakeduelError('CONFIG_INVALID', `${path} can't be read: ${messageOf(cause)}`, {
      facts: { path },
      remedy: 'Name an existing file, or use flags instead.',
      cause,
    })
  })
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new LakeduelError('CONFIG_INVALID', `${path} is no JSON: ${messageOf(cause)}`, {
      facts: { path },
      remedy: 'Correct the place that the message names.',
      cause,
    })
  }
}
