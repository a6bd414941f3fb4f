import { readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { LakeduelError } from '../errors.ts'
import { isExecutable } from '../executables.ts'
import { packageRoot } from '../package-root.ts'
import { findNewestPython, type PythonInterpreter } from './python.ts'
import { type EngineVersions, requirementsWith, VERSIONED_ENGINES } from './sidecar-requirements.ts'
import type { Step, StepContext } from './step.ts'
import { runTool } from './tool.ts'
import { environmentName, interpreterOf, makeVirtualEnvironment } from './virtual-environment.ts'

/** The oldest Python that deltalite's wheel, built for the stable ABI of 3.12, can be imported from. */
const DELTALITE_MINOR = 12

const stampSchema = z.strictObject({
  pythonVersion: z.string(),
  /** Where the virtual environment's interpreter comes from; it breaks when that one is removed. */
  basePython: z.string(),
  /** Strategies that this environment can't offer, with the reason. */
  unavailable: z.record(z.string(), z.string()),
})

export interface SidecarSetup extends Readonly<z.infer<typeof stampSchema>> {
  /** The virtual environment's interpreter. */
  readonly python: string
}

const SIDECAR = join(packageRoot, 'backends/delta/sidecar')

/** @param versions of engines in place of the locked ones. The requirements name the environment, so others make another one. */
export function sidecarStep(versions: EngineVersions = {}): Step<SidecarSetup> {
  return {
    title: titleOf(versions),
    find: async (home) => readEnvironment(environmentDir(home, await requirementsOf(versions))),
    make: async (context) => {
      const interpreter = await findNewestPython()
      const requirements = await requirementsOf(versions)
      await makeEnvironment(context, interpreter, requirements).catch((error: unknown) => {
        throw unavailableVersion(error, versions) ?? error
      })
      const target = environmentDir(context.home, requirements)
      // There is one already when the Python that it was made from is gone.
      await rm(target, { recursive: true, force: true })
      await rename(context.workDir, target)
      return { ...stampOf(interpreter), python: interpreterOf(target) }
    },
  }
}

function titleOf(versions: EngineVersions): string {
  const named = namesOf(versions)
  return `delta-rs sidecar (Python environment${named === '' ? '' : ` with ${named}`})`
}

function namesOf(versions: EngineVersions): string {
  return VERSIONED_ENGINES.flatMap((name) =>
    versions[name] === undefined ? [] : [`${name} ${versions[name]}`],
  ).join(' and ')
}

async function requirementsOf(versions: EngineVersions): Promise<string> {
  return requirementsWith(await readFile(join(SIDECAR, 'requirements.txt'), 'utf8'), versions)
}

function environmentDir(home: string, requirements: string): string {
  return join(home, environmentName('sidecar', requirements))
}

async function readEnvironment(environment: string): Promise<SidecarSetup | null> {
  const text = await readFile(join(environment, 'lakeduel.json'), 'utf8').catch(() => null)
  if (text === null) return null
  const stamp = stampSchema.parse(JSON.parse(text))
  return (await isExecutable(stamp.basePython)) ? { ...stamp, python: interpreterOf(environment) } : null
}

function stampOf({ path, version, minor }: PythonInterpreter): z.infer<typeof stampSchema> {
  const reason = `deltalite needs Python 3.${DELTALITE_MINOR} or newer, and the newest found is ${version}`
  return {
    pythonVersion: version,
    basePython: path,
    unavailable: minor >= DELTALITE_MINOR ? {} : { 'delta/deltalite': reason },
  }
}

async function makeEnvironment(
  context: StepContext,
  interpreter: PythonInterpreter,
  requirements: string,
): Promise<void> {
  const { workDir, signal, report } = context
  await makeVirtualEnvironment(context, interpreter, requirements)
  await runTool(interpreterOf(workDir), ['-c', 'import lakeduel_sidecar.requests'], {
    signal,
    report,
    env: { PYTHONPATH: join(SIDECAR, 'src'), PYTHONDONTWRITEBYTECODE: '1' },
    remedy: 'The sidecar needs parts of its engines that these versions lack: choose newer ones.',
  })
  await writeFile(join(workDir, 'lakeduel.json'), JSON.stringify(stampOf(interpreter)))
}

/** What pip says, in words, when a wished version isn't published, or not for this Python and platform; null for other errors. */
function unavailableVersion(error: unknown, versions: EngineVersions): LakeduelError | null {
  if (!(error instanceof LakeduelError) || error.code !== 'SETUP_FAILED') return null
  const missing = VERSIONED_ENGINES.find((name) =>
    error.message.includes(`No matching distribution found for ${name}==${versions[name]}`),
  )
  if (missing === undefined) return null
  return new LakeduelError(
    'SETUP_FAILED',
    `There is no ${missing} ${versions[missing]} for this Python and platform.`,
    {
      facts: { versions },
      remedy: `These are published: pip index versions ${missing}`,
      cause: error,
    },
  )
}
