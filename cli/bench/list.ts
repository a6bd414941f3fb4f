import { ARMS } from '../../backends/backend.ts'
import { formatBytes } from '../../reports/format.ts'
import { SCENARIOS } from '../../scenarios/catalogue.ts'
import { PROFILES, type ProfileSpec, type Scenario } from '../../scenarios/scenario.ts'

/** What `lakeduel bench --list --json` prints. */
export function listing() {
  return {
    arms: ARMS,
    scenarios: SCENARIOS.map(({ name, question, description, measures, axes, profiles }) => ({
      name,
      question,
      description,
      measures,
      axes: axes.map((axis) => ({ name: axis.name, unit: axis.unit, description: axis.description })),
      profiles,
    })),
  }
}

/** What `lakeduel bench --list` prints. */
export function listingText(): string {
  return [...SCENARIOS.map(scenarioText), `Arms\n${ARMS.map((arm) => `  ${arm}`).join('\n')}`].join('\n\n')
}

function scenarioText({ name, question, description, measures, axes, profiles }: Scenario): string {
  return [
    name,
    `  ${question}`,
    `  ${description}`,
    `  Beyond the usual: ${measures}.`,
    ...axes.map((axis) => `  --axis ${axis.name}: ${axis.description}`),
    ...PROFILES.map((profile) => `    ${profile.padEnd(9)} ${profileText(profiles[profile])}`),
  ].join('\n')
}

function profileText({ axes, parameters, memoryCapBytes, repeat }: ProfileSpec): string {
  const values = Object.entries(axes).map(([axis, ofAxis]) => `${axis} ${ofAxis.map(text).join('/')}`)
  const fixed = Object.entries(parameters).map(([name, value]) => `${name} ${text(value)}`)
  const cap = memoryCapBytes === null ? 'no memory cap' : `pod of ${formatBytes(memoryCapBytes)}`
  return [...values, ...fixed, cap, `${repeat} ×`].join(', ')
}

function text(value: string | number | boolean): string {
  return typeof value === 'number' ? value.toLocaleString('en-US') : String(value)
}
