import { z } from 'zod'

/**
 * The column types that both formats keep exactly. Unsigned integers are stored as the next wider type
 * (`uint8`→`int16`, `uint16`→`int32`, `uint32`→`int64`, `uint64`→`decimal(20,0)`), since Delta has none.
 * `timestamp` is microseconds without a zone, `timestamptz` microseconds in UTC. `json` is text.
 */
export type LakeType =
  | { readonly kind: ScalarKind }
  | { readonly kind: 'decimal'; readonly precision: number; readonly scale: number }
  | { readonly kind: 'list'; readonly element: LakeType }
  | { readonly kind: 'struct'; readonly fields: readonly ColumnSpec[] }

const scalarKindSchema = z.enum([
  'bool',
  'int8',
  'int16',
  'int32',
  'int64',
  'float32',
  'float64',
  'date',
  'timestamp',
  'timestamptz',
  'string',
  'json',
  'binary',
])
export type ScalarKind = z.infer<typeof scalarKindSchema>

export const lakeTypeSchema: z.ZodType<LakeType> = z.lazy(() =>
  z.union([
    z.strictObject({ kind: scalarKindSchema }),
    z
      .strictObject({
        kind: z.literal('decimal'),
        precision: z.int().min(1).max(38),
        scale: z.int().min(0).max(38),
      })
      .refine((type) => type.scale <= type.precision, 'a decimal cannot have more decimals than digits'),
    z.strictObject({ kind: z.literal('list'), element: lakeTypeSchema }),
    z.strictObject({ kind: z.literal('struct'), fields: z.array(columnSchema).min(1).readonly() }),
  ]),
)

export const columnSchema = z.strictObject({
  name: z.string().min(1).max(255),
  type: lakeTypeSchema,
  nullable: z.boolean(),
})
export type ColumnSpec = {
  readonly name: string
  readonly type: LakeType
  readonly nullable: boolean
}

/** Also the name of a table's folder and of its catalog entry. */
export const tableNameSchema = z
  .string()
  .regex(/^[a-z_][a-z0-9_]{0,62}$/, 'a table name is lower snake_case, at most 63 characters')

/** A table as a backend is asked to open it. */
export const tableSchema = z
  .strictObject({
    name: tableNameSchema,
    columns: z.array(columnSchema).min(1).readonly(),
    /** Empty for a table that is only appended to or replaced. */
    primaryKey: z.array(z.string()).readonly(),
    /** One identity partition column, which is a stored column of the table. */
    partitionBy: z.string().nullable(),
  })
  .superRefine((table, context) => {
    const names = new Set(table.columns.map((column) => column.name))
    if (names.size < table.columns.length) context.addIssue('two columns have the same name')
    for (const name of [...table.primaryKey, ...(table.partitionBy === null ? [] : [table.partitionBy])]) {
      if (!names.has(name))
        context.addIssue(`"${name}" is a key or partition column, but no column of the table`)
    }
  })
export type TableSpec = {
  readonly name: string
  readonly columns: readonly ColumnSpec[]
  readonly primaryKey: readonly string[]
  readonly partitionBy: string | null
}
