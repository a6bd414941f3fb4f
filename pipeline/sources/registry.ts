import { existsSync, statSync } from 'node:fs'
import { extname, join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { closest } from 'fastest-levenshtein'
import { z } from 'zod'
import { LakeduelError, messageOf } from '../../platform/errors.ts'
import type { SourceDefinition } from './source.ts'

/** The sources that come with lakeduel. Each is loaded when it is asked for, since some bring large packages. */
export const SOURCES: Readonly<Record<string, () => Promise<SourceDefinition>>> = {
  files: async () => (await import('./files/index.ts')).files,
  postgres: async () => (await import('./postgres/index.ts')).postgres,
  stripe: async () => (await import('./stripe/index.ts')).stripe,
  synthetic: async () => (await import('./synthetic/index.ts')).synthetic,
}

const ENTRY_FILES = ['index.ts', 'index.js', 'index.mjs'] as const

/** What a source's module must look like; its functions are taken at their word, and held to the contract by `source test`. */
const definitionSchema = z.custom<SourceDefinition>((value) => shapeSchema.safeParse(value).success)
const shapeSchema = z.looseObject({
  name: z.string().regex(/^[a-z][a-z0-9-]{0,62}$/),
  title: z.string(),
  version: z.int().positive(),
  config: z.custom<z.ZodType>((value) => value instanceof z.ZodType),
  secretKeys: z.array(z.string()),
  errors: z.array(z.looseObject({ code: z.string(), class: z.enum(['user', 'source', 'system']) })),
  open: z.custom<SourceDefinition['open']>((value) => typeof value === 'function'),
})
const moduleSchema = z.looseObject({ default: z.unknown().optional(), source: z.unknown().optional() })

/**
 * A source by its name, or by the path of a folder or file that exports one as `default` or `source`.
 * @throws LakeduelError `USAGE` for a name that isn't known, naming the nearest one; `CONFIG_INVALID` for a path that
 *   holds no source
 */
export async function sourceNamed(nameOrPath: string): Promise<SourceDefinition> {
  const load = SOURCES[nameOrPath]
  if (load !== undefined && Object.hasOwn(SOURCES, nameOrPath)) return load()
  if (/^[.~]|[/\\]/.test(nameOrPath)) return loadSource(resolve(nameOrPath))
  const known = Object.keys(SOURCES)
  throw new LakeduelError('USAGE', `There is no source "${nameOrPath}".`, {
    facts: { source: nameOrPath, known },
    remedy: `Did you mean "${closest(nameOrPath, known)}"? There are: ${known.join(', ')}; a source of your own is named by its path, such as ./${nameOrPath}.`,
  })
}

async function loadSource(path: string): Promise<SourceDefinition> {
  const loaded = moduleSchema.parse(await importModule(entryOf(path), path))
  const definition = [loaded.source, loaded.default].find((exported) => exported !== undefined)
  const parsed = definitionSchema.safeParse(definition)
  if (parsed.success) return parsed.data
  const issue = shapeSchema.safeParse(definition).error?.issues[0]
  throw new LakeduelError(
    'CONFIG_INVALID',
    definition === undefined
      ? `${path} exports no source.`
      : `What ${path} exports is no source: ${issue?.path.join('.')}: ${issue?.message}.`,
    {
      facts: { path },
      remedy: 'Export a SourceDefinition as `default` or as `source`; `lakeduel source new NAME` shows one.',
    },
  )
}

async function importModule(entry: string, path: string): Promise<unknown> {
  try {
    return await import(pathToFileURL(entry).href)
  } catch (cause) {
    throw new LakeduelError('CONFIG_INVALID', `The source ${path} cannot be loaded: ${messageOf(cause)}`, {
      facts: { path },
      remedy: 'Correct the module; `node --check` shows where its syntax is wrong.',
      cause,
    })
  }
}

function entryOf(path: string): string {
  const entry = existsSync(path) && statSync(path).isDirectory() ? indexOf(path) : path
  if (entry !== undefined && existsSync(entry) && extname(entry) !== '') return entry
  throw new LakeduelError('CONFIG_INVALID', `There is no source at ${path}.`, {
    facts: { path },
    remedy: `Name a folder with one of ${ENTRY_FILES.join(', ')}, or a module.`,
  })
}

function indexOf(folder: string): string | undefined {
  return ENTRY_FILES.map((name) => join(folder, name)).find((file) => existsSync(file))
}
