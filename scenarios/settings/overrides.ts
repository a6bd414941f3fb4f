import type { Overrides } from '../search/sweep.ts'

/** Overrides as a backend takes them: `deltalite.maxParallelFiles` lies in a record of its own. */
export function settingsOf(overrides: Overrides): Readonly<Record<string, unknown>> {
  const settings: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(overrides)) {
    const [record = '', key] = name.split('.')
    if (key === undefined) settings[record] = value
    else settings[record] = { ...asRecord(settings[record]), [key]: value }
  }
  return settings
}

function asRecord(value: unknown): object {
  return typeof value === 'object' && value !== null ? value : {}
}
