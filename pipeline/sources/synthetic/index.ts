import type { SourceDefinition } from '../source.ts'
import { configSchema } from './config.ts'
import { errors } from './errors.ts'
import { SyntheticSource } from './read.ts'

/** Tables that are computed from a seed: any size, any width, any failure, and the same rows every time. */
export const synthetic: SourceDefinition<typeof configSchema> = {
  name: 'synthetic',
  title: 'Synthetic data from a seed',
  version: 1,
  config: configSchema,
  secretKeys: ['password'],
  errors,
  opaqueCursors: true,
  open: (config) => Promise.resolve(new SyntheticSource(config)),
}
