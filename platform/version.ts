import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { packageRoot } from './package-root.ts'

const manifestSchema = z.object({ version: z.string() })

/** The version of this lakeduel, as its package.json has it. */
export const VERSION = manifestSchema.parse(
  JSON.parse(readFileSync(join(packageRoot, 'package.json'), 'utf8')),
).version
