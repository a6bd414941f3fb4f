import { loadConfig } from '../../platform/config/load.ts'
import { LakeduelError } from '../../platform/errors.ts'
import { interruptSignal } from '../../platform/interrupt.ts'
import { packageRoot } from '../../platform/package-root.ts'
import { changesIn, commitOf } from '../../platform/setup/checkout.ts'
import { duckdbVariables } from '../../platform/setup/duckdb-folder.ts'
import { ensureCheckout, ensureDuckdb, ensureSidecar } from '../../platform/setup/setup.ts'
import { VERSIONED_ENGINES } from '../../platform/setup/sidecar-requirements.ts'
import type { Comparison } from '../../reports/compare.ts'
import { MAIN_FILE } from '../main-file.ts'
import type { LiveOptions } from './live.ts'

/** Two versions of something, as `A,B`, and what is run with each of them. */
export interface SubjectOptions {
  readonly deltalake?: string
  readonly deltalite?: string
  readonly duckdbExtensions?: string
  readonly refs?: string
  readonly bench?: string
}

/** What is compared: the fact of the results that tells the two sides apart, and its value on each. */
export interface Subjects {
  readonly what: 'deltalake' | 'deltalite' | 'duckdb' | 'commit'
  readonly baseline: string
  readonly candidate: string
}

type Versioned = 'deltalake' | 'deltalite' | 'duckdbExtensions' | 'refs'

const VERSIONED = [...VERSIONED_ENGINES, 'duckdbExtensions', 'refs'] as const satisfies readonly Versioned[]

const flagOf = (option: Versioned) => `--${option === 'duckdbExtensions' ? 'duckdb-extensions' : option}`
const EXAMPLE_PAIRS: Readonly<Record<Versioned, string>> = {
  deltalake: '1.6.3,1.6.6',
  deltalite: '0.1.14,0.1.15',
  duckdbExtensions: '1.5.4,1.5.5',
  refs: 'main,HEAD',
}

const MERGE = '--profile smoke --scenario merge-partitions'
/** What shows a difference in each, as far as any arm does. */
const DEFAULT_BENCH: Readonly<Record<Subjects['what'], string>> = {
  deltalake: `${MERGE} --arm delta/merge`,
  deltalite: `${MERGE} --arm delta/deltalite`,
  duckdb: `${MERGE} --arm ducklake/merge`,
  commit: MERGE,
}
const WHAT: Readonly<Record<Versioned, Subjects['what']>> = {
  deltalake: 'deltalake',
  deltalite: 'deltalite',
  duckdbExtensions: 'duckdb',
  refs: 'commit',
}

/** Which of the options was given, if any. @throws LakeduelError `USAGE` for several, or for `--bench` alone */
export function versionedOption(options: SubjectOptions): Versioned | null {
  const [first, second] = VERSIONED.filter((name) => options[name] !== undefined)
  if (second !== undefined)
    throw new LakeduelError(
      'USAGE',
      `${flagOf(first ?? second)} and ${flagOf(second)} can't be compared at once.`,
      {
        remedy: 'Change one thing at a time, so that it is clear what made the difference.',
      },
    )
  if (first === undefined && options.bench !== undefined)
    throw new LakeduelError('USAGE', '--bench says what to run, but not which versions of what.', {
      remedy: 'Add --deltalake A,B, --deltalite A,B, --duckdb-extensions A,B or --refs A,B.',
    })
  return first ?? null
}

/** `A,B` as its two parts. @throws LakeduelError `USAGE` for another number of them */
export function pairOf(option: Versioned, text: string): readonly [string, string] {
  const [baseline = '', candidate = '', ...more] = text.split(',').map((part) => part.trim())
  if (baseline !== '' && candidate !== '' && more.length === 0) return [baseline, candidate]
  throw new LakeduelError('USAGE', `${flagOf(option)} takes two, the baseline first, not "${text}".`, {
    facts: { option, text },
    remedy: `For example: ${flagOf(option)} ${EXAMPLE_PAIRS[option]}`,
  })
}

/**
 * Makes what each side runs in, both before anything is run, and gives the commands that take turns.
 * @throws LakeduelError `USAGE` for an unknown ref or changes that no commit has, `SETUP_FAILED` for a version that can't be had
 */
export async function prepareSubjects(
  option: Versioned,
  options: SubjectOptions,
): Promise<{ readonly subjects: Subjects; readonly commands: LiveOptions['commands'] }> {
  const pair = pairOf(option, options[option] ?? '')
  const bench = options.bench ?? DEFAULT_BENCH[WHAT[option]]
  if (option === 'refs') return await commits(pair, bench)
  return option === 'duckdbExtensions' ? await duckdbs(pair, bench) : await engines(option, pair, bench)
}

async function engines(
  name: Exclude<Versioned, 'refs' | 'duckdbExtensions'>,
  [baseline, candidate]: readonly [string, string],
  bench: string,
): Promise<{ readonly subjects: Subjects; readonly commands: LiveOptions['commands'] }> {
  const variable = `LAKEDUEL_${name.toUpperCase()}`
  const configs = await Promise.all(
    [baseline, candidate].map((version) => loadConfig({ flags: { engines: { [name]: version } } })),
  )
  for (const { home, engines: wished } of configs) await ensureSidecar(home, wished, interruptSignal())
  const command = (version: string) => benchCommand(MAIN_FILE, { [variable]: version }, bench)
  return {
    subjects: { what: name, baseline, candidate },
    commands: { baseline: command(baseline), candidate: command(candidate) },
  }
}

/** An extension fits one version of DuckDB only, so that each side has both, and everything else is the same. */
async function duckdbs(
  [baseline, candidate]: readonly [string, string],
  bench: string,
): Promise<{ readonly subjects: Subjects; readonly commands: LiveOptions['commands'] }> {
  for (const version of [baseline, candidate]) assertRelease(version)
  const { home } = await loadConfig()
  const command = async (version: string) => {
    const folder = await ensureDuckdb(home, version, interruptSignal())
    return benchCommand(MAIN_FILE, duckdbVariables(folder), bench)
  }
  return {
    subjects: { what: 'duckdb', baseline, candidate },
    commands: { baseline: await command(baseline), candidate: await command(candidate) },
  }
}

function assertRelease(version: string): void {
  if (/^\d+\.\d+\.\d+$/.test(version)) return
  throw new LakeduelError('USAGE', `"${version}" is no version of DuckDB.`, {
    facts: { version },
    remedy: `For example: ${flagOf('duckdbExtensions')} ${EXAMPLE_PAIRS.duckdbExtensions}`,
  })
}

/** The checkouts use the services and the set-up of this one. */
async function commits(
  refs: readonly [string, string],
  bench: string,
): Promise<{ readonly subjects: Subjects; readonly commands: LiveOptions['commands'] }> {
  const { home } = await loadConfig()
  const [baseline, candidate] = [await commitOf(packageRoot, refs[0]), await commitOf(packageRoot, refs[1])]
  await assertNothingLeftOut(refs, [baseline, candidate])
  const command = async (commit: string) => {
    const folder = await ensureCheckout(home, { repository: packageRoot, commit }, interruptSignal())
    return benchCommand(`${folder}/cli/main.ts`, { LAKEDUEL_HOME: home }, bench)
  }
  return {
    subjects: { what: 'commit', baseline, candidate },
    commands: { baseline: await command(baseline), candidate: await command(candidate) },
  }
}

/** Who compares with what is checked out means it with the changes, and would get figures without them. */
async function assertNothingLeftOut(
  refs: readonly [string, string],
  commitsOfRefs: readonly string[],
): Promise<void> {
  const head = await commitOf(packageRoot, 'HEAD')
  const index = commitsOfRefs.indexOf(head)
  if (index === -1) return
  const changes = await changesIn(packageRoot)
  if (changes === '') return
  throw new LakeduelError(
    'USAGE',
    `No commit has these changes, so '${refs[index]}' is without them:\n${changes}`,
    {
      facts: { changes },
      remedy: 'Commit or stash them; `git stash create` prints a commit of them, which --refs takes too.',
    },
  )
}

/**
 * Each turn is one repetition, in fresh processes.
 * @param bench goes to the shell as it is, as the commands of --baseline-cmd do
 */
export function benchCommand(main: string, env: Readonly<Record<string, string>>, bench: string): string {
  const variables = Object.entries(env).map(([name, value]) => `${name}=${quoted(value)}`)
  const node = [process.execPath, main].map(quoted)
  return [...variables, ...node, 'bench', bench, '--repeat 1 --no-aa --out {out}'].join(' ')
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`
}

/**
 * Figures of one thing against itself would look like a comparison of two.
 * @throws LakeduelError `USAGE` when what was run is the same on both sides
 */
export function assertDiffer(
  { what, baseline, candidate }: Subjects,
  { differences }: Pick<Comparison, 'differences'>,
): void {
  if (baseline === candidate || differences.subject.some((clause) => clause.startsWith(`${what}: `))) return
  throw new LakeduelError('USAGE', `What was run doesn't use ${what}: both sides are the same.`, {
    facts: { what, baseline, candidate },
    remedy: `Choose arms with --bench that use it, as: --bench '${DEFAULT_BENCH[what]}'`,
  })
}
