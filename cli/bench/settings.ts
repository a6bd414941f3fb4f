import type { Arm } from '../../backends/backend.ts'
import { ARMS } from '../../backends/backend.ts'
import { LakeduelError } from '../../platform/errors.ts'
import { chosen } from './nearest.ts'

export type SettingsByArm = Readonly<Partial<Record<Arm, Readonly<Record<string, unknown>>>>>

/**
 * Reads `ARM.KEY=VALUE`, where VALUE is JSON or else a text. The backend checks key and value when it is connected.
 * @throws LakeduelError `USAGE` for another form or an unknown arm
 */
export function parseSettings(assignments: readonly string[]): SettingsByArm {
  const settings: Partial<Record<Arm, Record<string, unknown>>> = {}
  for (const assignment of assignments) {
    const match = /^([^.]+)\.([A-Za-z]\w*)=(.*)$/.exec(assignment)
    const [, armName = '', key = '', value = ''] = match ?? []
    if (match === null) {
      throw new LakeduelError('USAGE', `--set takes ARM.KEY=VALUE, not "${assignment}".`, {
        remedy: 'For example: --set ducklake/merge.threads=1',
      })
    }
    for (const arm of chosen('arm', [armName], ARMS))
      settings[arm] = { ...settings[arm], [key]: jsonOrText(value) }
  }
  return settings
}

function jsonOrText(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}
