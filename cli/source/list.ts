import { variableOf } from '../../pipeline/sources/config.ts'
import { keysAt } from '../../pipeline/sources/config-keys.ts'
import { SOURCES } from '../../pipeline/sources/registry.ts'
import { type JsonOption, print } from './print.ts'

export async function listSources(options: JsonOption): Promise<void> {
  const definitions = await Promise.all(Object.values(SOURCES).map((load) => load()))
  const sources = definitions.map((definition) => ({
    name: definition.name,
    title: definition.title,
    version: definition.version,
    settings: keysAt(definition.config, []).map((key) => ({
      key,
      secret: definition.secretKeys.includes(key),
      variable: variableOf(definition, key),
    })),
  }))
  const width = Math.max(...sources.map(({ name }) => name.length))
  const lines = sources.flatMap(({ name, title, settings }) => [
    `${name.padEnd(width)}  ${title}`,
    `${' '.repeat(width)}  settings: ${settings.map(({ key, secret }) => (secret ? `${key}*` : key)).join(', ')}`,
  ])
  const note = [
    '',
    'Settings are given with --set key=value, in a file, or as LAKEDUEL_SOURCE_<NAME>_<KEY>; those with a * are secrets,',
    'which are never stored. A source of your own is named by its path: lakeduel source new shows one.',
  ]
  print(options, { sources }, [...lines, ...note].join('\n'))
}
