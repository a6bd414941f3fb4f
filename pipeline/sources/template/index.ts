import type { SourceDefinition } from '../kit.ts'
import { configSchema } from './config.ts'
import { errors } from './errors.ts'
import { MySource } from './read.ts'

const mySource: SourceDefinition<typeof configSchema> = {
  name: 'my-source',
  title: 'My source',
  // Raise it whenever rows come to look different.
  version: 1,
  config: configSchema,
  secretKeys: ['apiKey'],
  errors,
  // Cursors are ids and times of the service, and hold nothing that a customer wrote.
  opaqueCursors: true,
  open: (config) => Promise.resolve(new MySource(config)),
}

export default mySource
