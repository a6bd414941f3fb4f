/** Versions of the sidecar's engines that replace those of its lock. */
export interface EngineVersions {
  readonly deltalake?: string | undefined
  readonly deltalite?: string | undefined
}

export const VERSIONED_ENGINES = [
  'deltalake',
  'deltalite',
] as const satisfies readonly (keyof EngineVersions)[]

/** A pin of the lock: name, version, and the environment marker where it has one. */
const PIN = /^(?<name>[\w.-]+)==(?<version>\S+)(?<marker> ;.*?)? \\$/gm

/**
 * The lock itself, with its hashes, when it has the wished versions already. Else its pins with the wished versions in place of
 * theirs, so that nothing but the engine differs; without hashes, as nobody has recorded those of other versions.
 */
export function requirementsWith(lock: string, versions: EngineVersions): string {
  const pins = [...lock.matchAll(PIN)].map(({ groups = {} }) => ({
    name: groups['name'] ?? '',
    version: groups['version'] ?? '',
    marker: groups['marker'] ?? '',
  }))
  const wished = new Map<string, string | undefined>(VERSIONED_ENGINES.map((name) => [name, versions[name]]))
  if (pins.every(({ name, version }) => (wished.get(name) ?? version) === version)) return lock
  return pins
    .map(({ name, version, marker }) => `${name}==${wished.get(name) ?? version}${marker}\n`)
    .join('')
}
