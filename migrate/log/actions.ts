import { z } from 'zod'

/** Actions of the Delta protocol, as far as they matter here. Fields that aren't named are dropped, unknown actions ignored. */

const valuesSchema = z.record(z.string(), z.string().nullable())
const propertiesSchema = z.record(z.string(), z.string().nullable()).transform(withoutNulls)

export const deletionVectorSchema = z.object({
  /** `u`: a file named by a UUID, relative to the table; `p`: a file by its absolute path; `i`: inline. */
  storageType: z.enum(['u', 'p', 'i']),
  pathOrInlineDv: z.string(),
  offset: z.int().nonnegative().nullish(),
  sizeInBytes: z.int().nonnegative(),
  /** Rows that it deletes. */
  cardinality: z.int().nonnegative(),
})
export type DeletionVector = Readonly<z.infer<typeof deletionVectorSchema>>

export const addSchema = z.object({
  path: z.string().min(1),
  partitionValues: valuesSchema.nullish().transform((values) => values ?? {}),
  size: z.number().nonnegative(),
  modificationTime: z.number(),
  dataChange: z.boolean(),
  /** JSON. */
  stats: z.string().nullish(),
  deletionVector: deletionVectorSchema.nullish(),
  baseRowId: z.number().nullish(),
})
export type AddAction = z.infer<typeof addSchema>

export const removeSchema = z.object({
  path: z.string().min(1),
  deletionTimestamp: z.number().nullish(),
  dataChange: z.boolean(),
  deletionVector: deletionVectorSchema.nullish(),
})

export const metadataSchema = z.object({
  id: z.string(),
  name: z.string().nullish(),
  description: z.string().nullish(),
  format: z.object({ provider: z.string() }),
  schemaString: z.string(),
  partitionColumns: z.array(z.string()),
  configuration: propertiesSchema.nullish().transform((properties) => properties ?? {}),
  createdTime: z.number().nullish(),
})
export type MetadataAction = z.infer<typeof metadataSchema>

export const protocolSchema = z.object({
  minReaderVersion: z.int(),
  minWriterVersion: z.int(),
  readerFeatures: z.array(z.string()).nullish(),
  writerFeatures: z.array(z.string()).nullish(),
})
export type ProtocolAction = z.infer<typeof protocolSchema>

export const commitInfoSchema = z.object({
  timestamp: z.number().nullish(),
  inCommitTimestamp: z.number().nullish(),
  operation: z.string().nullish(),
  operationParameters: z.record(z.string(), z.unknown()).nullish(),
  userName: z.string().nullish(),
  userId: z.string().nullish(),
  engineInfo: z.string().nullish(),
  clientVersion: z.string().nullish(),
  userMetadata: z.string().nullish(),
})
export type CommitInfo = Readonly<z.infer<typeof commitInfoSchema>>

export const transactionSchema = z.object({ appId: z.string(), version: z.number() })

export const domainMetadataSchema = z.object({
  domain: z.string(),
  configuration: z.string(),
  removed: z.boolean(),
})

export const changeFileSchema = z.object({
  path: z.string().min(1),
  partitionValues: valuesSchema.nullish().transform((values) => values ?? {}),
  size: z.number().nonnegative(),
})

export const sidecarSchema = z.object({ path: z.string().min(1), sizeInBytes: z.number() })

/** The actions by the key that each line of a commit, and each row of a checkpoint, has. */
const ACTION_SCHEMAS = {
  add: addSchema,
  remove: removeSchema,
  metaData: metadataSchema,
  protocol: protocolSchema,
  commitInfo: commitInfoSchema,
  txn: transactionSchema,
  domainMetadata: domainMetadataSchema,
  cdc: changeFileSchema,
  sidecar: sidecarSchema,
} as const

export type ActionName = keyof typeof ACTION_SCHEMAS
export const ACTION_NAMES = Object.keys(ACTION_SCHEMAS).filter(isActionName)

type Parsed = { readonly [Name in ActionName]: z.output<(typeof ACTION_SCHEMAS)[Name]> }

/** The actions of one file of the log. */
export class ActionSet {
  readonly adds: Parsed['add'][] = []
  readonly removes: Parsed['remove'][] = []
  readonly changeFiles: Parsed['cdc'][] = []
  readonly sidecars: Parsed['sidecar'][] = []
  readonly transactions: Parsed['txn'][] = []
  readonly domains: Parsed['domainMetadata'][] = []
  metadata: Parsed['metaData'] | null = null
  protocol: Parsed['protocol'] | null = null
  commitInfo: Parsed['commitInfo'] | null = null

  /** @throws ZodError where a known action isn't what the protocol says */
  take(name: string, value: unknown): void {
    if (isActionName(name) && value !== null) this.#takers[name](value)
  }

  readonly #takers: Readonly<Record<ActionName, (value: unknown) => void>> = {
    add: (value) => this.adds.push(addSchema.parse(value)),
    remove: (value) => this.removes.push(removeSchema.parse(value)),
    cdc: (value) => this.changeFiles.push(changeFileSchema.parse(value)),
    sidecar: (value) => this.sidecars.push(sidecarSchema.parse(value)),
    txn: (value) => this.transactions.push(transactionSchema.parse(value)),
    domainMetadata: (value) => this.domains.push(domainMetadataSchema.parse(value)),
    metaData: (value) => {
      this.metadata = metadataSchema.parse(value)
    },
    protocol: (value) => {
      this.protocol = protocolSchema.parse(value)
    },
    // Engines put what they like there, and nothing but the shown history depends on it.
    commitInfo: (value) => {
      this.commitInfo = commitInfoSchema.safeParse(value).data ?? null
    },
  }
}

function isActionName(name: string): name is ActionName {
  return name in ACTION_SCHEMAS
}

function withoutNulls(properties: Readonly<Record<string, string | null>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(properties).flatMap(([key, value]) => (value === null ? [] : [[key, value]])),
  )
}
