import { readdir, realpath } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { execa } from 'execa'
import { z } from 'zod'
import { LakeduelError } from '../errors.ts'
import { findExecutable } from '../executables.ts'

/** The versions that the sidecar's wheels are made for. */
const OLDEST_MINOR = 10
const NEWEST_MINOR = 14

const interpreterSchema = z.strictObject({
  path: z.string(),
  version: z.string(),
  major: z.int(),
  minor: z.int(),
  /** Whether `python -m venv` gives a pip: Debian splits that off into python3-venv. */
  canMakeVenv: z.boolean(),
  /** A free-threaded build or another implementation takes other wheels. */
  takesCommonWheels: z.boolean(),
})
export type PythonInterpreter = Readonly<z.infer<typeof interpreterSchema>>

const SELF_DESCRIPTION = `
import importlib.util, json, platform, sys, sysconfig
print(json.dumps({
  "path": sys.executable, "version": platform.python_version(), "major": sys.version_info[0], "minor": sys.version_info[1],
  "canMakeVenv": all(importlib.util.find_spec(m) for m in ("venv", "ensurepip")),
  "takesCommonWheels": platform.python_implementation() == "CPython" and not sysconfig.get_config_var("Py_GIL_DISABLED"),
}))`

/**
 * The newest Python that the sidecar can run on, from PATH and pyenv.
 * @throws LakeduelError `TOOL_MISSING`, naming what was found instead
 */
export async function findNewestPython(env: NodeJS.ProcessEnv = process.env): Promise<PythonInterpreter> {
  const found = await findInterpreters(env)
  const newest = found.filter(isSuitable).sort((a, b) => b.minor - a.minor)[0]
  if (newest !== undefined) return newest
  throw noPython(found)
}

async function findInterpreters(env: NodeJS.ProcessEnv): Promise<readonly PythonInterpreter[]> {
  const candidates = [...(await candidatesOnPath(env)), ...(await candidatesOfPyenv(env))]
  const distinct = new Set(await Promise.all(candidates.map((path) => realpath(path).catch(() => path))))
  const described = await Promise.all([...distinct].map((path) => describeInterpreter(path, env)))
  return described.filter((interpreter) => interpreter !== null)
}

async function candidatesOnPath(env: NodeJS.ProcessEnv): Promise<readonly string[]> {
  const minors = Array.from({ length: NEWEST_MINOR - OLDEST_MINOR + 1 }, (_, index) => NEWEST_MINOR - index)
  const names = [...minors.map((minor) => `python3.${minor}`), 'python3', 'python']
  const paths = await Promise.all(names.map((name) => findExecutable(name, env)))
  // A pyenv shim answers for the active version only; the versions themselves are found in pyenv's own folder.
  return paths.filter((path) => path !== null).filter((path) => !path.includes('/shims/'))
}

async function candidatesOfPyenv(env: NodeJS.ProcessEnv): Promise<readonly string[]> {
  const versions = join(env.PYENV_ROOT || join(homedir(), '.pyenv'), 'versions')
  const names = await readdir(versions).catch(() => [])
  return names.filter((name) => /^3\.1\d\./.test(name)).map((name) => join(versions, name, 'bin', 'python3'))
}

async function describeInterpreter(path: string, env: NodeJS.ProcessEnv): Promise<PythonInterpreter | null> {
  const { failed, stdout } = await execa(path, ['-I', '-c', SELF_DESCRIPTION], {
    env,
    reject: false,
    timeout: 20_000,
  })
  if (failed) return null
  return interpreterSchema.safeParse(JSON.parse(stdout)).data ?? null
}

function isSuitable({ major, minor, canMakeVenv, takesCommonWheels }: PythonInterpreter): boolean {
  return major === 3 && minor >= OLDEST_MINOR && minor <= NEWEST_MINOR && canMakeVenv && takesCommonWheels
}

function noPython(found: readonly PythonInterpreter[]): LakeduelError {
  const list = found.map(
    ({ path, version, canMakeVenv }) => `${version} (${path}${canMakeVenv ? '' : ', without venv'})`,
  )
  const lacksVenv = found.find(
    (python) => isSuitable({ ...python, canMakeVenv: true }) && !python.canMakeVenv,
  )
  const instead = list.length > 0 ? ` Found instead: ${list.join(', ')}.` : ''
  return new LakeduelError(
    'TOOL_MISSING',
    `The delta-rs sidecar needs Python 3.${OLDEST_MINOR} to 3.${NEWEST_MINOR} with venv, and there is none on PATH.${instead}`,
    {
      facts: { tool: 'python3', found: list },
      remedy: lacksVenv
        ? `Install the venv module of Python ${lacksVenv.version}, on Debian and Ubuntu: apt-get install python3.${lacksVenv.minor}-venv.`
        : 'Install Python 3.12 or newer, such as by: apt-get install python3 python3-venv, brew install python, or pyenv install 3.13.',
    },
  )
}
