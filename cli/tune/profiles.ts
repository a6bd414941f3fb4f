import { readFile } from 'node:fs/promises'
import { z } from 'zod'
import { ARMS, type Arm } from '../../backends/backend.ts'
import { LakeduelError } from '../../platform/errors.ts'
import { metricsOf } from '../../reports/metrics.ts'
import type { Results } from '../../reports/schema.ts'
import { settingsOf } from '../../scenarios/settings/overrides.ts'
import { CHOSEN, LEAST_GAIN } from '../../scenarios/settings.ts'

/** Settings of an arm that were found in a pod of a size, with what they were found by. */
const profileSchema = z.object({
  arm: z.enum(ARMS),
  podBytes: z.int().positive(),
  /** Apart from the defaults, as `--engine-set` takes them. */
  settings: z.record(z.string(), z.unknown()),
  foundWith: z.object({
    rows: z.number(),
    rowBytes: z.number(),
    partitions: z.number(),
    s3LatencyMs: z.number(),
    runId: z.string(),
    /** Null where the defaults failed in this pod. */
    defaultMs: z.number().nullable(),
    tunedMs: z.number(),
    peakBytes: z.number(),
  }),
})
const profilesSchema = z.object({ version: z.literal(1), profiles: z.array(profileSchema) })
export type TunedProfile = Readonly<z.infer<typeof profileSchema>>

/**
 * What a run of the scenario `settings` found: nothing where a cell ended early, and the defaults where fresh pairs didn't
 * confirm what the search chose.
 */
export function profilesOf({ cells, run }: Results): readonly TunedProfile[] {
  return cells.flatMap((cell) => {
    const arm = ARMS.find((name) => name === cell.arm)
    if (cell.status !== 'ok' || cell.scenario !== 'settings' || cell.control || arm === undefined) return []
    const metrics = metricsOf(cell)
    const value = (name: string) => metrics.get(name)?.value ?? null
    const isConfirmed = (value('tunedToDefault') ?? 0) <= 1 - LEAST_GAIN
    const chosen = isConfirmed ? [...metrics].filter(([name]) => name.startsWith(CHOSEN)) : []
    const overrides = Object.fromEntries(
      chosen.map(([name, metric]) => [name.slice(CHOSEN.length), metric.value]),
    )
    return [
      {
        arm,
        podBytes: Number(cell.point['podBytes']),
        settings: settingsOf(overrides),
        foundWith: {
          rows: Number(cell.point['rows']),
          rowBytes: Number(cell.point['rowBytes']),
          partitions: Number(cell.point['partitions']),
          s3LatencyMs: Number(cell.point['s3LatencyMs']),
          runId: run.id,
          defaultMs: value('default.wallMs'),
          tunedMs: value('tuned.wallMs') ?? Number.NaN,
          peakBytes: value('tuned.peakBytes') ?? Number.NaN,
        },
      },
    ]
  })
}

export function profilesText(profiles: readonly TunedProfile[]): string {
  return `${JSON.stringify(profilesSchema.parse({ version: 1, profiles }), null, 2)}\n`
}

/** @throws LakeduelError `CONFIG_INVALID` for a file that `lakeduel tune` hasn't written */
export async function readProfiles(path: string): Promise<readonly TunedProfile[]> {
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    throw unreadable(path, 'it cannot be read', cause)
  })
  try {
    return profilesSchema.parse(JSON.parse(text)).profiles
  } catch (cause) {
    throw unreadable(path, cause instanceof z.ZodError ? z.prettifyError(cause) : 'it is no JSON', cause)
  }
}

function unreadable(path: string, why: string, cause: unknown): LakeduelError {
  return new LakeduelError('CONFIG_INVALID', `${path} holds no tuned settings: ${why}.`, {
    facts: { path },
    remedy: 'Give the tuned.json that `lakeduel tune` wrote.',
    cause,
  })
}

/**
 * The profile for an arm in a pod: of the largest pod that is no larger, since settings that fit a pod fit every larger one
 * and none is known to fit a smaller one. Of several shapes the one that was tuned with the most rows.
 * @param podBytes null for a pod without a cap, which takes the largest
 * @throws LakeduelError `CONFIG_INVALID` where the file has none
 */
export function profileFor(
  profiles: readonly TunedProfile[],
  arm: Arm,
  podBytes: number | null,
): TunedProfile {
  const most = podBytes ?? Number.POSITIVE_INFINITY
  const fitting = profiles.filter((profile) => profile.arm === arm && profile.podBytes <= most)
  const [found] = fitting.toSorted((a, b) => b.podBytes - a.podBytes || b.foundWith.rows - a.foundWith.rows)
  if (found !== undefined) return found
  throw new LakeduelError('CONFIG_INVALID', `No tuned settings fit ${arm} in this pod.`, {
    facts: { arm, podBytes, known: profiles.map((profile) => [profile.arm, profile.podBytes]) },
    remedy: 'Tune the arm in a pod of this size, or leave --tuned out to take the defaults.',
  })
}
