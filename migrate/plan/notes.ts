import type { DeltaField, DeltaType } from '../log/schema.ts'
import type { DeltaSnapshot } from '../log/snapshot.ts'
import { isLiteralDefault, writtenDefault } from './columns.ts'

/**
 * - `lost`: DuckLake can't say it, so nobody enforces or computes it any more;
 * - `changed`: it is there after the move, and not quite the same;
 * - `reader`: what those who read the table must do otherwise.
 */
export interface Note {
  readonly kind: 'lost' | 'changed' | 'reader'
  /** A column, a property, or a feature. */
  readonly subject: string
  readonly text: string
}

/** Where Spark keeps `char(n)` and `varchar(n)`. */
const CHAR_TYPE = '__CHAR_VARCHAR_TYPE_STRING'
/** The second is what Databricks called it before it was a feature. */
const CLUSTERING: ReadonlySet<string> = new Set(['delta.clustering', 'delta.liquid'])
const CONSTRAINT = 'delta.constraints.'

/** What a table has that DuckLake can't express, or keeps otherwise. Nothing of it is dropped in silence. */
export function notesOn(snapshot: DeltaSnapshot): readonly Note[] {
  const { table } = snapshot
  return [
    ...table.columns.flatMap(columnNotes),
    ...propertyNotes(table.properties),
    ...domainNotes(snapshot),
    ...transactionNotes(snapshot),
    {
      kind: 'reader',
      subject: 'versions',
      text: 'Snapshots of DuckLake have numbers of their own; a query for a Delta version needs the snapshot that it became.',
    },
  ]
}

function columnNotes(field: DeltaField): readonly Note[] {
  const { metadata } = field
  const subject = `column "${field.name}"`
  const notes: readonly (readonly [boolean, Note['kind'], string])[] = [
    [
      'delta.generationExpression' in metadata,
      'lost',
      `It is generated as ${String(metadata['delta.generationExpression'])}: stored values stay, new rows must bring theirs.`,
    ],
    [
      'delta.identity.start' in metadata,
      'lost',
      'It is an identity column: stored values stay, new rows must bring theirs.',
    ],
    [
      'delta.invariants' in metadata,
      'lost',
      `Its invariant ${String(metadata['delta.invariants'])} isn't checked any more.`,
    ],
    [
      hasOtherDefault(field),
      'lost',
      `Its default ${String(writtenDefault(field))} is an expression, and DuckLake has literals only.`,
    ],
    [CHAR_TYPE in metadata, 'lost', `Its length (${String(metadata[CHAR_TYPE])}) isn't checked any more.`],
  ]
  return [
    ...notes.flatMap(([applies, kind, text]) => (applies ? [{ kind, subject, text }] : [])),
    ...innerNotNull(field.type, field.name).map((path) => ({
      kind: 'lost' as const,
      subject: `column "${field.name}"`,
      text: `${path} may not be NULL, which DuckLake can say of whole columns only.`,
    })),
  ]
}

function hasOtherDefault(field: DeltaField): boolean {
  const text = writtenDefault(field)
  return text !== null && text.toLowerCase() !== 'null' && !isLiteralDefault(text)
}

/** Parts of a type that may not be NULL. */
function innerNotNull(type: DeltaType, path: string): readonly string[] {
  if (type.kind === 'array') {
    return [
      ...(type.containsNull ? [] : [`${path}.element`]),
      ...innerNotNull(type.element, `${path}.element`),
    ]
  }
  if (type.kind === 'map') {
    return [
      ...(type.valueContainsNull ? [] : [`${path}.value`]),
      ...innerNotNull(type.value, `${path}.value`),
    ]
  }
  if (type.kind !== 'struct') return []
  return type.fields.flatMap(({ name, nullable, type: inner }) => [
    ...(nullable ? [] : [`${path}.${name}`]),
    ...innerNotNull(inner, `${path}.${name}`),
  ])
}

function propertyNotes(properties: Readonly<Record<string, string>>): readonly Note[] {
  return Object.entries(properties).map(([key, value]) => {
    if (key.startsWith(CONSTRAINT)) {
      const name = key.slice(CONSTRAINT.length)
      return {
        kind: 'lost',
        subject: `constraint "${name}"`,
        text: `CHECK (${value}) isn't checked any more.`,
      }
    }
    return { kind: 'lost', subject: `property ${key}`, text: propertyText(key, value) }
  })
}

function propertyText(key: string, value: string): string {
  const known: Readonly<Record<string, string>> = {
    'delta.enableChangeDataFeed':
      'DuckLake tells changes from its own snapshots on (table_changes); those of before stay with the Delta table.',
    'delta.appendOnly': 'DuckLake lets every writer change and delete rows.',
    'delta.enableRowTracking': 'Rows get row ids of DuckLake; those of Delta are not kept.',
    'delta.deletedFileRetentionDuration': 'See expire_older_than and delete_older_than of DuckLake.',
    'delta.logRetentionDuration': 'See expire_older_than of DuckLake.',
    'delta.targetFileSize': 'See target_file_size of DuckLake.',
  }
  return `${value}. ${known[key] ?? 'DuckLake has no such property.'}`
}

function domainNotes({ domains }: DeltaSnapshot): readonly Note[] {
  return [...domains].map(([domain, configuration]) => ({
    kind: 'lost',
    subject: `domain ${domain}`,
    text: CLUSTERING.has(domain)
      ? `The table is clustered by ${configuration}; --sort-by sorts what is rewritten, and DuckLake's SET SORTED BY what is written later.`
      : `${configuration} isn't kept.`,
  }))
}

function transactionNotes({ transactions }: DeltaSnapshot): readonly Note[] {
  if (transactions.size === 0) return []
  const names = [...transactions].map(([appId, version]) => `${appId} at ${version}`)
  return [
    {
      kind: 'lost',
      subject: 'transactions of writers',
      text: `${names.join(', ')}: a streaming writer that goes on in DuckLake must keep its own mark.`,
    },
  ]
}
