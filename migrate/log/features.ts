import type { ProtocolAction } from './actions.ts'
import { unsupportedTable } from './errors.ts'
import type { ColumnMapping } from './schema.ts'

/** What a reader must know to read a table rightly. Those that need a catalog of their own are told apart below. */
const READABLE: ReadonlySet<string> = new Set([
  'columnMapping',
  'deletionVectors',
  'timestampNtz',
  'typeWidening',
  'typeWidening-preview',
  'v2Checkpoint',
  'vacuumProtocolCheck',
  'variantType',
  'variantType-preview',
  'variantShredding',
  'variantShredding-preview',
])
const CATALOG_MANAGED: ReadonlySet<string> = new Set([
  'catalogManaged',
  'catalogOwned-preview',
  'catalogOwned',
])
/** The version that means columns may be mapped, without naming the feature. */
const COLUMN_MAPPING_VERSION = 2
const FEATURES_VERSION = 3

/** The features that the protocol asks of readers, those that only a version implies included. */
export function readerFeatures(protocol: ProtocolAction): readonly string[] {
  if (protocol.minReaderVersion >= FEATURES_VERSION) return protocol.readerFeatures ?? []
  return protocol.minReaderVersion === COLUMN_MAPPING_VERSION ? ['columnMapping'] : []
}

/**
 * Refuses a table whose protocol asks for what isn't known here: reading on would give wrong rows in silence.
 * @throws LakeduelError `SOURCE_UNSUPPORTED`
 */
export function assertReadable(uri: string, protocol: ProtocolAction): void {
  if (protocol.minReaderVersion > FEATURES_VERSION) {
    throw unsupportedTable(
      uri,
      `asks for reader version ${protocol.minReaderVersion}, and lakeduel knows ${FEATURES_VERSION}`,
      'See whether a newer lakeduel knows it.',
    )
  }
  const features = readerFeatures(protocol)
  const managed = features.filter((feature) => CATALOG_MANAGED.has(feature))
  if (managed.length > 0) {
    throw unsupportedTable(
      uri,
      `is managed by a catalog (${managed.join(', ')}): which of its commits count, only that catalog knows`,
      'Copy it to a table of its own in the engine of that catalog (CREATE TABLE … AS SELECT), and migrate that.',
    )
  }
  const unknown = features.filter((feature) => !READABLE.has(feature))
  if (unknown.length === 0) return
  throw unsupportedTable(
    uri,
    `needs the reader ${unknown.length === 1 ? 'feature' : 'features'} ${unknown.join(', ')}, which lakeduel doesn't know`,
    'Drop the feature with the engine that wrote the table (ALTER TABLE … DROP FEATURE), or see whether a newer lakeduel knows it.',
  )
}

/** The property counts only where the protocol lets columns be mapped. */
export function columnMappingOf(
  protocol: ProtocolAction,
  configuration: Readonly<Record<string, string>>,
): ColumnMapping {
  if (!readerFeatures(protocol).includes('columnMapping')) {
    // Writers that list features leave this one out of the readers' list now and then (delta-io's own icebergCompatV1 tables).
    if (!(protocol.writerFeatures ?? []).includes('columnMapping')) return 'none'
  }
  const mode = configuration['delta.columnMapping.mode'] ?? 'none'
  return mode === 'name' || mode === 'id' ? mode : 'none'
}
