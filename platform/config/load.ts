import { readFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { z } from 'zod'
import { errorCode } from '../disk.ts'
import { LakeduelError, messageOf } from '../errors.ts'
import { lakeduelHome } from '../home.ts'
import { type ConfiguredPostgres, type ConfiguredS3, configuredPostgres, configuredS3 } from './configured.ts'
import { type Setting, settingsFromEnvironment } from './environment.ts'
import { type ConfigInput, configSchema, type ParsedConfig } from './schema.ts'
import { unknownKey } from './unknown-key.ts'

/** What the rest of lakeduel sees: all defaults applied, and services either fully configured or left to lakeduel. */
export interface Config {
  readonly home: string
  readonly storage: 's3' | 'local'
  readonly localRoot: string
  readonly docker: 'auto' | 'never'
  /** The HTTP interface of a Toxiproxy, without a path; null when lakeduel is to start one of its own. */
  readonly toxiproxy: string | null
  /** Versions of the sidecar's engines in place of the locked ones. */
  readonly engines: ParsedConfig['engines']
  /** Null when lakeduel is to start an object store of its own. */
  readonly s3: ConfiguredS3 | null
  /** Null when lakeduel is to start a Postgres of its own. */
  readonly postgres: ConfiguredPostgres | null
  /** Wished ports of local services; null for any free one. */
  readonly ports: { readonly s3: number | null; readonly postgres: number | null }
}

export interface ConfigSources {
  /** From the command line; undefined values are ignored. */
  readonly flags?: PartialInput<ConfigInput>
  readonly env?: NodeJS.ProcessEnv
  readonly cwd?: string
  /** A config file that must exist; else `lakeduel.config.json` in `cwd` is read where it exists. */
  readonly configFile?: string | undefined
}

type PartialInput<T> = {
  readonly [K in keyof T]?: T[K] extends object | undefined ? PartialInput<T[K]> : T[K] | undefined
}
type Tree = Record<string, unknown>

const treeSchema = z.record(z.string(), z.unknown())

/**
 * Flags before environment before config file.
 * @throws LakeduelError `CONFIG_INVALID`, naming the nearest key for an unknown one; values of secrets are never told
 */
export async function loadConfig(sources: ConfigSources = {}): Promise<Config> {
  const env = sources.env ?? process.env
  const cwd = sources.cwd ?? process.cwd()
  const settings = [
    ...(await settingsFromFile(cwd, sources.configFile ?? env.LAKEDUEL_CONFIG)),
    ...settingsFromEnvironment(env),
    ...leaves(sources.flags ?? {}, 'the command line'),
  ]
  return resolveConfig(parseSettings(settings), env, cwd)
}

function resolveConfig(parsed: ParsedConfig, env: NodeJS.ProcessEnv, cwd: string): Config {
  const home = parsed.home === undefined ? lakeduelHome(env) : resolve(cwd, parsed.home)
  const postgres = configuredPostgres(parsed.postgres)
  return {
    home,
    storage: parsed.storage,
    localRoot: parsed.localRoot === undefined ? join(home, 'storage') : resolve(cwd, parsed.localRoot),
    docker: parsed.docker,
    toxiproxy: parsed.toxiproxy === undefined ? null : new URL(parsed.toxiproxy).origin,
    engines: parsed.engines,
    s3: parsed.storage === 's3' ? configuredS3(parsed.s3) : null,
    postgres,
    ports: {
      s3: parsed.s3.port ?? null,
      postgres: postgres === null ? (parsed.postgres.port ?? null) : null,
    },
  }
}

async function settingsFromFile(cwd: string, named: string | undefined): Promise<readonly Setting[]> {
  const path = resolve(cwd, named ?? 'lakeduel.config.json')
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    if (named === undefined && errorCode(error) === 'ENOENT') return '{}'
    throw new LakeduelError('CONFIG_INVALID', `Cannot read the config file ${path}: ${messageOf(error)}`, {
      facts: { path },
      remedy: 'Give the path of a readable JSON file, or leave --config out.',
      cause: error,
    })
  })
  return leaves(parseJson(text, path), path)
}

function parseJson(text: string, path: string): Tree {
  try {
    return treeSchema.parse(JSON.parse(text))
  } catch (cause) {
    // Not the parser's message: it quotes the text, which may hold a secret.
    throw new LakeduelError('CONFIG_INVALID', `${path} is not a JSON object.`, {
      facts: { path },
      cause: redactedCause(cause),
    })
  }
}

function redactedCause(cause: unknown): string {
  return cause instanceof Error ? cause.name : 'unreadable JSON'
}

function leaves(tree: object, source: string, parents: readonly string[] = []): readonly Setting[] {
  return Object.entries(tree).flatMap(([key, value]) => {
    const path = [...parents, key]
    if (value === undefined) return []
    const subtree = treeSchema.safeParse(value)
    return subtree.success ? leaves(subtree.data, source, path) : [{ path: path.join('.'), value, source }]
  })
}

function parseSettings(settings: readonly Setting[]): ParsedConfig {
  const tree: Tree = {}
  for (const { path, value } of settings) assign(tree, path.split('.'), value)
  const parsed = configSchema.safeParse(tree)
  if (parsed.success) return parsed.data
  throw invalidSetting(parsed.error, settings)
}

function assign(tree: Tree, [head = '', ...rest]: readonly string[], value: unknown): void {
  if (rest.length === 0) {
    tree[head] = value
    return
  }
  const inner = treeSchema.safeParse(tree[head]).data ?? {}
  assign(inner, rest, value)
  tree[head] = inner
}

function invalidSetting(error: z.ZodError, settings: readonly Setting[]): LakeduelError {
  const issue = error.issues[0]
  const path = issue?.path.join('.') ?? ''
  if (issue?.code === 'unrecognized_keys') {
    const key = [...issue.path, issue.keys[0]].join('.')
    return unknownKey(key, knownPaths(), sourceOf(key, settings))
  }
  return new LakeduelError(
    'CONFIG_INVALID',
    `Setting '${path}' in ${sourceOf(path, settings)}: ${issue?.message}.`,
    {
      facts: { key: path },
      remedy: 'Correct the value; `lakeduel doctor` checks the whole configuration.',
    },
  )
}

function sourceOf(path: string, settings: readonly Setting[]): string {
  const last = settings.findLast((setting) => setting.path === path || setting.path.startsWith(`${path}.`))
  return last?.source ?? 'the configuration'
}

function knownPaths(): readonly string[] {
  return Object.entries(configSchema.shape).flatMap(([key, schema]) => {
    const inner = schema instanceof z.ZodPrefault ? schema.unwrap() : schema
    return inner instanceof z.ZodObject ? Object.keys(inner.shape).map((name) => `${key}.${name}`) : [key]
  })
}
