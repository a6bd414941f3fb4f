import type { Arm, Backend, BackendEnvironment, BackendFactory, Format } from './backend.ts'
import { formatOf } from './backend.ts'

/** Loaded on demand, so that a process that writes Delta never loads DuckDB and its memory floor is its own. */
const FACTORIES: Readonly<Record<Format, () => Promise<BackendFactory>>> = {
  ducklake: async () => (await import('./ducklake/ducklake.ts')).ducklake,
  delta: async () => (await import('./delta/delta.ts')).delta,
}

const COPIERS: Readonly<Record<Format, () => Promise<Copier>>> = {
  ducklake: async () => (await import('./ducklake/copy-tables.ts')).copyTables,
  delta: async () => (await import('./delta/copy-tables.ts')).copyTables,
}

type Copier = (from: BackendEnvironment, to: BackendEnvironment) => Promise<void>

/** Connects the backend of an arm. See {@link BackendFactory.connect}. */
export async function connectBackend(
  arm: Arm,
  environment: BackendEnvironment,
  settings: Readonly<Record<string, unknown>>,
): Promise<Backend> {
  const factory = await FACTORIES[formatOf(arm)]()
  return factory.connect(arm, environment, settings)
}

/**
 * Copies all tables of one environment, byte for byte, into another one that has none: another prefix of the same
 * bucket or another folder, and another catalog schema. No table may be open, since a copy is no snapshot.
 */
export async function copyTables(
  format: Format,
  from: BackendEnvironment,
  to: BackendEnvironment,
): Promise<void> {
  const copy = await COPIERS[format]()
  await copy(from, to)
}
