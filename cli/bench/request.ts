import type { Arm } from '../../backends/backend.ts'
import { ARMS } from '../../backends/backend.ts'
import { LakeduelError } from '../../platform/errors.ts'
import { NETWORK_PROFILES, type NetworkProfile } from '../../platform/services/network/network.ts'
import type { Results } from '../../reports/schema.ts'
import { SCENARIOS } from '../../scenarios/catalogue.ts'
import { type BenchPlan, plannedCells } from '../../scenarios/runner/bench.ts'
import { reasonsForNoCells } from '../../scenarios/runner/plan.ts'
import type { Profile, Scenario } from '../../scenarios/scenario.ts'
import { PROFILES } from '../../scenarios/scenario.ts'
import { parseAxes } from './axes.ts'
import { chosen } from './nearest.ts'

/** The options of `lakeduel bench` as commander gives them; undefined where none was given. */
export interface BenchOptions {
  readonly list?: boolean
  readonly scenario: readonly string[]
  readonly arm: readonly string[]
  readonly profile?: string
  readonly axis: readonly string[]
  readonly network?: string
  /** `--aa` or `--no-aa`; undefined: by profile. */
  readonly aa?: boolean
  readonly dryRun?: boolean
  readonly repeat?: number
  readonly memoryCap?: number | null
  readonly seed?: number
  readonly set: readonly string[]
  readonly keep: boolean
  readonly out?: string
  readonly resume?: string
  readonly storage?: string
  readonly config?: string
  readonly json?: boolean
}

const DEFAULT_SEED = 1

type Value = string | number | boolean | null

/** What to run, from the command line alone. */
export function planOf(options: BenchOptions): BenchPlan {
  const [profile = 'quick'] = chosen('profile', [options.profile ?? 'quick'], PROFILES)
  const [network = 'loopback'] = chosen('network', [options.network ?? 'loopback'], NETWORK_PROFILES)
  const scenarios = scenariosNamed(options.scenario)
  const plan: BenchPlan = {
    scenarios,
    axes: parseAxes(options.axis, scenarios),
    control: options.aa ?? (profile === 'standard' || profile === 'full'),
    network,
    arms: chosen('arm', options.arm, ARMS),
    profile,
    repeat: options.repeat ?? null,
    memoryCapBytes: options.memoryCap,
    seed: options.seed ?? DEFAULT_SEED,
    keep: options.keep,
  }
  assertCells(plan)
  return plan
}

/** @throws LakeduelError `USAGE` when everything that was asked for is excluded by its scenario */
function assertCells(plan: BenchPlan): void {
  if (plannedCells(plan).length > 0) return
  const reasons = plan.scenarios.flatMap((scenario) =>
    reasonsForNoCells(scenario, { ...plan, repeat: 1 }).map((reason) => `${scenario.name}: ${reason}`),
  )
  throw new LakeduelError('USAGE', `Nothing of that is measured. ${reasons.join('; ')}.`, {
    facts: { axes: plan.axes, arms: plan.arms, profile: plan.profile },
    remedy: 'Ask for other arms, other values with --axis, or another --profile.',
  })
}

/**
 * What to run when an earlier run goes on: what that run was asked for. An option that contradicts it is an error,
 * because the figures of two different runs don't belong in one file.
 */
export function planOfResumed(options: BenchOptions, results: Results): BenchPlan {
  const { plan } = results.run
  for (const [option, [given, before]] of Object.entries(askedAndPlanned(options, plan))) {
    if (given !== undefined && given !== before) {
      throw new LakeduelError(
        'USAGE',
        `The run to resume had ${option} ${String(before)}, not ${String(given)}.`,
        {
          remedy: `Leave ${option} out to go on with that run, or start a new one without --resume.`,
        },
      )
    }
  }
  return {
    scenarios: scenariosNamed(plan.scenarios),
    arms: chosen<Arm>('arm', plan.arms, ARMS),
    profile: chosen<Profile>('profile', [plan.profile], PROFILES)[0] ?? 'quick',
    axes: plan.axes,
    control: plan.control,
    network: chosen<NetworkProfile>('network', [plan.network], NETWORK_PROFILES)[0] ?? 'loopback',
    repeat: plan.repeat,
    memoryCapBytes: plan.memoryCap === 'profile' ? undefined : plan.memoryCap,
    seed: plan.seed,
    keep: options.keep,
  }
}

/** What an option says now, and what the plan says, by option. */
function askedAndPlanned(
  options: BenchOptions,
  plan: Results['run']['plan'],
): Readonly<Record<string, readonly [Value | undefined, Value | undefined]>> {
  return {
    '--profile': [options.profile, plan.profile],
    '--seed': [options.seed, plan.seed],
    '--repeat': [options.repeat, plan.repeat],
    '--network': [options.network, plan.network],
    '--aa': [options.aa, plan.control],
    '--axis': [
      options.axis.length === 0 ? undefined : axesText(parseAxes(options.axis, SCENARIOS)),
      axesText(plan.axes),
    ],
    '--memory-cap': [options.memoryCap, plan.memoryCap === 'profile' ? undefined : plan.memoryCap],
    '--scenario': [
      options.scenario.length === 0 ? undefined : options.scenario.join(),
      plan.scenarios.join(),
    ],
    '--arm': [options.arm.length === 0 ? undefined : options.arm.join(), plan.arms.join()],
  }
}

/** The plan as the results file keeps it, so that `--resume` needs no other option. */
export function recordedPlan(plan: BenchPlan): Results['run']['plan'] {
  return {
    scenarios: plan.scenarios.map(({ name }) => name),
    arms: [...plan.arms],
    profile: plan.profile,
    axes: Object.fromEntries(Object.entries(plan.axes).map(([axis, values]) => [axis, [...values]])),
    control: plan.control,
    network: plan.network,
    repeat: plan.repeat,
    memoryCap: plan.memoryCapBytes === undefined ? 'profile' : plan.memoryCapBytes,
    seed: plan.seed,
  }
}

function axesText(axes: BenchPlan['axes']): string {
  return Object.entries(axes)
    .map(([axis, values]) => `${axis}=${values.join()}`)
    .toSorted()
    .join(' ')
}

function scenariosNamed(names: readonly string[]): readonly Scenario[] {
  if (names.length === 0) return SCENARIOS.filter(({ onDemand }) => onDemand !== true)
  const known = SCENARIOS.map(({ name }) => name)
  const wanted = chosen('scenario', names, known)
  return SCENARIOS.filter(({ name }) => wanted.includes(name))
}
