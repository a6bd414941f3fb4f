import { createHash } from 'node:crypto'
import { readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { isExecutable } from '../executables.ts'
import { packageRoot } from '../package-root.ts'
import { findNewestPython, type PythonInterpreter } from './python.ts'
import type { Step, StepContext } from './step.ts'
import { runTool } from './tool.ts'

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

/** @param requirements a locked requirements file with hashes; its content names the environment, so a new lock makes a new one */
export function sidecarStep(
  requirements = join(packageRoot, 'backends/delta/sidecar/requirements.txt'),
): Step<SidecarSetup> {
  return {
    title: 'delta-rs sidecar (Python environment)',
    find: async (home) => readEnvironment(await environmentDir(home, requirements)),
    make: async (context) => {
      const interpreter = await findNewestPython()
      await makeEnvironment(context, interpreter, requirements)
      const target = await environmentDir(context.home, requirements)
      // There is one already when the Python that it was made from is gone.
      await rm(target, { recursive: true, force: true })
      await rename(context.workDir, target)
      return { ...stampOf(interpreter), python: interpreterOf(target) }
    },
  }
}

async function environmentDir(home: string, requirements: string): Promise<string> {
  const hash = createHash('sha256')
    .update(await readFile(requirements))
    .digest('hex')
  return join(home, `sidecar-${hash.slice(0, 12)}`)
}

function interpreterOf(environment: string): string {
  return join(environment, 'bin', 'python')
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

/** Never from source: building delta-rs takes tens of minutes and a Rust toolchain. */
async function makeEnvironment(
  context: StepContext,
  interpreter: PythonInterpreter,
  requirements: string,
): Promise<void> {
  const { workDir, signal, report } = context
  report(`virtual environment of Python ${interpreter.version}`)
  const remedy = `Try '${interpreter.path} -m venv' by hand; the Python installation may be incomplete.`
  await runTool(interpreter.path, ['-m', 'venv', '--clear', workDir], { signal, report, remedy })
  await runTool(
    interpreterOf(workDir),
    ['-m', 'pip', 'install', '--no-input', '--only-binary', ':all:', '--require-hashes', '-r', requirements],
    {
      signal,
      report,
      remedy: 'Check that pip reaches its package index (pip config list), then run the command again.',
    },
  )
  await writeFile(join(workDir, 'lakeduel.json'), JSON.stringify(stampOf(interpreter)))
}
