import { createHash } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { PythonInterpreter } from './python.ts'
import type { StepContext } from './step.ts'
import { runTool } from './tool.ts'

/** The folder of an environment with these requirements: others make another one. */
export function environmentName(tool: string, requirements: string): string {
  return `${tool}-${createHash('sha256').update(requirements).digest('hex').slice(0, 12)}`
}

export function interpreterOf(environment: string): string {
  return join(environment, 'bin', 'python')
}

/** Never from source: building delta-rs or DuckDB takes tens of minutes and a toolchain. */
export async function makeVirtualEnvironment(
  { workDir, signal, report }: StepContext,
  interpreter: PythonInterpreter,
  requirements: string,
): Promise<void> {
  report(`virtual environment of Python ${interpreter.version}`)
  const remedy = `Try '${interpreter.path} -m venv' by hand; the Python installation may be incomplete.`
  await runTool(interpreter.path, ['-m', 'venv', '--clear', workDir], { signal, report, remedy })
  const file = join(workDir, 'requirements.txt')
  await writeFile(file, requirements)
  const hashes = requirements.includes('--hash=') ? ['--require-hashes'] : []
  await runTool(
    interpreterOf(workDir),
    ['-m', 'pip', 'install', '--no-input', '--only-binary', ':all:', ...hashes, '-r', file],
    {
      signal,
      report,
      remedy: 'Check that pip reaches its package index (pip config list), then run the command again.',
    },
  )
}
