import { gatherSourceConfig, type RawConfig } from '../../pipeline/sources/config.ts'
import type { SourceDefinition } from '../../pipeline/sources/source.ts'

export interface SettingsOptions {
  readonly config?: string
  readonly set?: readonly string[]
}

/** The settings of a source: of a bundle, of a file, of the environment, and of the command line, in rising rank. */
export function settingsOf(
  definition: SourceDefinition,
  { config, set }: SettingsOptions,
  base: RawConfig = {},
): Promise<RawConfig> {
  return gatherSourceConfig(definition, { base, file: config, env: process.env, settings: set ?? [] })
}
