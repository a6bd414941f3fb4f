import { z } from 'zod'

/** A node of the schema of a Parquet file, as its footer has it. */
export interface ParquetNode {
  readonly name: string
  /** Null for a group. */
  readonly physicalType: string | null
  readonly convertedType: string | null
  readonly logicalType: string | null
  readonly scale: number | null
  readonly precision: number | null
  readonly repeated: boolean
  readonly fieldId: number | null
  readonly children: readonly ParquetNode[]
}

export const flatNodeSchema = z.object({
  name: z.string(),
  type: z.string().nullable(),
  repetition_type: z.string().nullable(),
  num_children: z.number().nullable(),
  converted_type: z.string().nullable(),
  scale: z.number().nullable(),
  precision: z.number().nullable(),
  field_id: z.number().nullable(),
  logical_type: z.string().nullable(),
})
type FlatNode = z.infer<typeof flatNodeSchema>

/** The columns of a file, from the list that a footer keeps: each group is followed by its children. */
export function parseParquetSchema(flat: readonly FlatNode[]): readonly ParquetNode[] {
  let at = 0
  const next = (): ParquetNode => {
    const node = flat[at]
    if (node === undefined) throw new Error(`its schema has ${flat.length} entries, and more are announced`)
    at += 1
    return nodeOf(node, Array.from({ length: node.num_children ?? 0 }, next))
  }
  return flat.length === 0 ? [] : next().children
}

function nodeOf(flat: FlatNode, children: readonly ParquetNode[]): ParquetNode {
  return {
    name: flat.name,
    physicalType: flat.type,
    convertedType: flat.converted_type,
    logicalType: flat.logical_type,
    scale: flat.scale,
    precision: flat.precision,
    repeated: flat.repetition_type === 'REPEATED',
    fieldId: flat.field_id,
    children,
  }
}
