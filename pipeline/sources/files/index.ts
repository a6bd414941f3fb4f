import type { SourceDefinition } from '../source.ts'
import { configSchema } from './config.ts'
import { errors } from './errors.ts'
import { FilesSource } from './source.ts'

/** Parquet, NDJSON and CSV, on local disk or S3; an incremental sync reads files that are new or were changed. */
export const files: SourceDefinition<typeof configSchema> = {
  name: 'files',
  title: 'Parquet, NDJSON and CSV files, local or on S3',
  version: 1,
  config: configSchema,
  secretKeys: ['accessKeyId', 'secretAccessKey', 'sessionToken'],
  errors,
  opaqueCursors: true,
  open: (config) => Promise.resolve(new FilesSource(config)),
}
