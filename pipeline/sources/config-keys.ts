import { z } from 'zod'

/** The keys that a schema knows at a path; none where it takes any. Looks through defaults, options, unions and lists. */
export function keysAt(schema: z.core.$ZodType, path: readonly PropertyKey[]): readonly string[] {
  const objects = path.reduce<readonly z.core.$ZodType[]>(
    (schemas, step) => schemas.flatMap((one) => inside(one, step)),
    [schema],
  )
  return [...new Set(objects.flatMap(alternatives).flatMap(keysOf))]
}

/** The schema of a top-level key, or null where the key isn't known. */
export function schemaOfKey(schema: z.core.$ZodType, key: string): z.ZodType | null {
  const found = inside(schema, key)[0]
  return found instanceof z.ZodType ? found : null
}

function keysOf(schema: z.core.$ZodType): readonly string[] {
  return schema instanceof z.ZodObject ? Object.keys(schema.def.shape) : []
}

function inside(schema: z.core.$ZodType, step: PropertyKey): readonly z.core.$ZodType[] {
  return alternatives(schema).flatMap((one): readonly z.core.$ZodType[] => {
    if (one instanceof z.ZodArray) return [one.def.element]
    if (one instanceof z.ZodRecord) return [one.def.valueType]
    const inner = one instanceof z.ZodObject ? one.def.shape[String(step)] : undefined
    return inner === undefined ? [] : [inner]
  })
}

/** What may stand in a schema's place once defaults and the like are taken off. */
function alternatives(schema: z.core.$ZodType): readonly z.core.$ZodType[] {
  if (schema instanceof z.ZodUnion) return schema.def.options.flatMap(alternatives)
  if (schema instanceof z.ZodPipe) return alternatives(schema.def.in)
  const wraps =
    schema instanceof z.ZodOptional ||
    schema instanceof z.ZodNullable ||
    schema instanceof z.ZodDefault ||
    schema instanceof z.ZodPrefault ||
    schema instanceof z.ZodReadonly
  return wraps ? alternatives(schema.def.innerType) : [schema]
}
