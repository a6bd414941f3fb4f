import { formatBytes, formatScalar } from '../format.ts'
import type { Results } from '../schema.ts'

/** In what two files differ, as clauses such as `cores: 2 in the baseline, 64 in the candidate`. */
export interface Differences {
  /** What must be alike for a comparison: machine, profile, seed, network, services, fixtures, settings. */
  readonly conditions: readonly string[]
  /** What may well be the thing that is compared: commits and versions of engines. */
  readonly subject: readonly string[]
}

type Facts = Readonly<Record<string, string>>

/** Versions of servers belong to the surroundings; those of what runs in a cell are what a comparison is about. */
const SERVERS = ['minio', 'postgres']

/** Of the scenarios that both files have; a scenario that is missing isn't a difference of fixture. */
export function differencesBetween(baseline: Results, candidate: Results): Differences {
  return {
    conditions: [
      ...clauses(machineOf(baseline), machineOf(candidate)),
      ...clauses(runOf(baseline), runOf(candidate)),
      ...clauses(fixturesOf(baseline), fixturesOf(candidate), true),
      ...clauses(settingsOf(baseline), settingsOf(candidate), true),
    ],
    subject: clauses(subjectOf(baseline), subjectOf(candidate)),
  }
}

/** @param shared whether only facts that both have count */
function clauses(before: Facts, after: Facts, shared = false): readonly string[] {
  return [...new Set([...Object.keys(before), ...Object.keys(after)])].flatMap((what) => {
    const [ours, theirs] = [before[what], after[what]]
    if (ours === theirs || (shared && (ours === undefined || theirs === undefined))) return []
    return [`${what}: ${ours ?? 'unknown'} in the baseline, ${theirs ?? 'unknown'} in the candidate`]
  })
}

function machineOf({ environment }: Results): Facts {
  const { cpuModel, cores, memoryBytes, limits, pod, kernel } = environment
  return {
    processor: cpuModel,
    cores: String(cores),
    // Machines of one kind differ by some pages that their kernels keep.
    memory: `${Math.round(memoryBytes / 1024 ** 3)} GiB`,
    kernel,
    'limits of the run': JSON.stringify(limits),
    'memory caps by': pod.mechanism,
  }
}

function runOf({ run, environment }: Results): Facts {
  const { plan, storage, network } = run
  const links = network === null ? 'none' : `${network.s3.latencyMs} and ${network.postgres.latencyMs} ms`
  return {
    profile: plan.profile,
    seed: String(plan.seed),
    storage: storage.kind === 'local' ? 'local directory' : `S3${storage.loopback ? ' over loopback' : ''}`,
    'latency added to S3 and Postgres': links,
    ...Object.fromEntries(SERVERS.map((name) => [name, environment.versions[name] ?? 'none'])),
  }
}

function fixturesOf({ scenarios }: Results): Facts {
  const facts = scenarios.flatMap(({ name, parameters, memoryCapBytes, data }) => [
    [`${name}: memory cap`, memoryCapBytes === null ? 'none' : formatBytes(memoryCapBytes)],
    ...Object.entries(parameters).map(([key, value]) => [`${name}: ${key}`, formatScalar(value)]),
    ...Object.entries(data).map(([key, { rows, payloadBytes, contentHash }]) => [
      `${name}: data ${key}`,
      `${rows} rows of ${payloadBytes} bytes with the content ${contentHash ?? 'unknown'}`,
    ]),
  ])
  return Object.fromEntries(facts)
}

function settingsOf({ cells }: Results): Facts {
  return Object.fromEntries(
    cells.flatMap(({ scenario, arm, settings }) =>
      Object.entries(settings).map(([key, value]) => [`${scenario}, ${arm}: ${key}`, formatScalar(value)]),
    ),
  )
}

function subjectOf({ lakeduelVersion, environment }: Results): Facts {
  const { git, versions } = environment
  const own = Object.entries(versions).filter(([name]) => !SERVERS.includes(name))
  return {
    lakeduel: lakeduelVersion,
    commit: git === null ? 'unknown' : `${git.sha.slice(0, 12)}${git.dirty ? ' with changes' : ''}`,
    ...Object.fromEntries(own.flatMap(([name, version]) => (version === null ? [] : [[name, version]]))),
  }
}
