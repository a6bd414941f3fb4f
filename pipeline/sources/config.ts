import { readFile } from 'node:fs/promises'
import { z } from 'zod'
import { unknownKey } from '../../platform/config/unknown-key.ts'
import { LakeduelError, messageOf } from '../../platform/errors.ts'
import { keysAt, schemaOfKey } from './config-keys.ts'
import { hideSecrets, secretsOf } from './secrets.ts'
import type { SourceDefinition } from './source.ts'

export type RawConfig = Readonly<Record<string, unknown>>

const rawConfigSchema = z.record(z.string(), z.unknown())

/** Where a source's settings come from, in rising rank. */
export interface ConfigInput {
  /** What is known already, such as the settings of a run without their secrets. */
  readonly base?: RawConfig
  /** A file that holds a JSON object of settings. */
  readonly file?: string | undefined
  /** Read for `LAKEDUEL_SOURCE_<NAME>_<KEY>`: `LAKEDUEL_SOURCE_STRIPE_API_KEY`. */
  readonly env?: NodeJS.ProcessEnv
  /** `key=value` from the command line. */
  readonly settings?: readonly string[]
}

/**
 * The settings of a source from all places, not yet parsed.
 * @throws LakeduelError `CONFIG_INVALID` for an unreadable file, `USAGE` for a setting that isn't `key=value`
 */
export async function gatherSourceConfig(
  definition: SourceDefinition,
  input: ConfigInput,
): Promise<RawConfig> {
  return {
    ...input.base,
    ...(input.file === undefined ? {} : await readConfigFile(input.file)),
    ...fromEnvironment(definition, input.env ?? {}),
    ...Object.fromEntries((input.settings ?? []).map((setting) => fromCommandLine(definition, setting))),
  }
}

/**
 * @throws LakeduelError `CONFIG_INVALID` that names the setting, for an unknown one the nearest known one, and never a
 *   secret's value
 */
export function parseSourceConfig<Config extends z.ZodType>(
  definition: SourceDefinition<Config>,
  raw: unknown,
): z.output<Config> {
  const parsed = definition.config.safeParse(raw)
  if (parsed.success) return parsed.data
  throw invalid(definition, parsed.error.issues, raw)
}

/** The variable of the environment that gives a setting. */
export function variableOf(definition: Pick<SourceDefinition, 'name'>, key: string): string {
  const words = `${definition.name}_${key.replace(/([a-z0-9])([A-Z])/g, '$1_$2')}`
  return `LAKEDUEL_SOURCE_${words.replace(/[^A-Za-z0-9]+/g, '_').toUpperCase()}`
}

function fromEnvironment(definition: SourceDefinition, env: NodeJS.ProcessEnv): RawConfig {
  const given = keysAt(definition.config, []).flatMap((key): [string, unknown][] => {
    const text = env[variableOf(definition, key)]
    return text === undefined || text === '' ? [] : [[key, valueOf(definition, key, text)]]
  })
  return Object.fromEntries(given)
}

function fromCommandLine(definition: SourceDefinition, setting: string): readonly [string, unknown] {
  const at = setting.indexOf('=')
  const key = setting.slice(0, at)
  if (at > 0) return [key, valueOf(definition, key, setting.slice(at + 1))]
  throw new LakeduelError('USAGE', 'A setting of a source was not given as key=value.', {
    remedy: `Write --set key=value; ${definition.name} knows: ${keysAt(definition.config, []).join(', ')}.`,
  })
}

/** A text as it is where the setting takes texts; else what it says as JSON: numbers, yes and no, lists. */
function valueOf(definition: SourceDefinition, key: string, text: string): unknown {
  if (schemaOfKey(definition.config, key)?.safeParse(text).success === true) return text
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

async function readConfigFile(path: string): Promise<RawConfig> {
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    throw new LakeduelError('CONFIG_INVALID', `Cannot read the config file ${path}: ${messageOf(cause)}`, {
      facts: { path },
      remedy: 'Give the path of a readable JSON file.',
      cause,
    })
  })
  try {
    return rawConfigSchema.parse(JSON.parse(text))
  } catch {
    // Without the parser's own message: it quotes the text, which may hold a secret.
    throw new LakeduelError('CONFIG_INVALID', `${path} is not a JSON object.`, { facts: { path } })
  }
}

function invalid(
  definition: SourceDefinition,
  issues: readonly z.core.$ZodIssue[],
  raw: unknown,
): LakeduelError {
  const issue = deepest(issues)
  const where = `the settings of source ${definition.name}`
  if (issue?.code === 'unrecognized_keys') {
    const unknown = unknownKey(issue.keys[0] ?? '', keysAt(definition.config, issue.path), where)
    if (issue.path.length === 0) return unknown
    return new LakeduelError('CONFIG_INVALID', `${unknown.message.slice(0, -1)}, at '${pathOf(issue)}'.`, {
      facts: unknown.facts,
      ...(unknown.remedy === undefined ? {} : { remedy: unknown.remedy }),
    })
  }
  const key = issue === undefined ? '' : pathOf(issue)
  const message = hideSecrets(issue?.message ?? 'invalid', secretsOf(definition, raw))
  const setting = String(issue?.path[0] ?? 'key')
  return new LakeduelError('CONFIG_INVALID', `Setting '${key}' in ${where}: ${message}.`, {
    facts: { source: definition.name, key },
    remedy: `Give it in the config file, as --set ${setting}=…, or as ${variableOf(definition, setting)}.`,
  })
}

/**
 * The issue that helps most: a setting that is misspelt also shows as one that is missing, and of a union the member counts
 * that came nearest.
 */
function deepest(issues: readonly z.core.$ZodIssue[]): z.core.$ZodIssue | undefined {
  const issue = issues.find(({ code }) => code === 'unrecognized_keys') ?? issues[0]
  if (issue?.code !== 'invalid_union' || issue.errors.length === 0) return issue
  const nearest = issue.errors.toSorted((a, b) => a.length - b.length)[0] ?? []
  const inner = deepest(nearest)
  return inner === undefined ? issue : { ...inner, path: [...issue.path, ...inner.path] }
}

function pathOf(issue: z.core.$ZodIssue): string {
  return issue.path.map(String).join('.')
}
