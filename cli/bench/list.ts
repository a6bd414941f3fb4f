import { ARMS } from '../../backends/backend.ts'
import { formatBytes } from '../../reports/format.ts'
import { SCENARIOS } from '../../scenarios/catalogue.ts'
import { PROFILES } from '../../scenarios/scenario.ts'

/** What `lakeduel bench --list --json` prints. */
export function listing() {
  return {
    arms: ARMS,
    scenarios: SCENARIOS.map(({ name, question, description, phases, profiles }) => ({
      name,
      question,
      description,
      phases,
      profiles,
    })),
  }
}

/** What `lakeduel bench --list` prints. */
export function listingText(): string {
  const scenarios = SCENARIOS.map(({ name, question, description, profiles }) =>
    [
      name,
      `  ${question}`,
      `  ${description}`,
      ...PROFILES.map((profile) => `    ${profile.padEnd(9)} ${profileText(profiles[profile])}`),
    ].join('\n'),
  )
  return [...scenarios, `Arms\n${ARMS.map((arm) => `  ${arm}`).join('\n')}`].join('\n\n')
}

function profileText(profile: (typeof SCENARIOS)[number]['profiles']['quick']): string {
  const parameters = Object.entries(profile.parameters).map(
    ([name, value]) => `${name} ${value.toLocaleString('en-US')}`,
  )
  const cap =
    profile.memoryCapBytes === null ? 'no memory cap' : `pod of ${formatBytes(profile.memoryCapBytes)}`
  return [...parameters, cap, `${profile.repeat} ×`, `disk about ${formatBytes(profile.diskBytes)}`].join(
    ', ',
  )
}
