import { execa } from 'execa'
import { LakeduelError } from '../errors.ts'
import { findExecutable } from '../executables.ts'
import type { StepContext } from './step.ts'
import { runTool } from './tool.ts'

/** A program that is had from its Go module, pinned. */
export interface GoProgram {
  /** As it is called in sentences: "MinIO". */
  readonly name: string
  /** The package of its `main`, with version: `go install` takes it as it is. */
  readonly module: string
  /** The oldest Go 1.x that builds it. */
  readonly oldestGoMinor: number
  /** How long a build takes on two cores, downloads included. */
  readonly expectedSeconds: number
  /** What is lost without it, as the beginning of an error: "There is no object store: …, and". */
  readonly without: string
  /** Full sentences: how to go on where Go is missing. */
  readonly withoutGo: string
  /** Full sentence: what to try when the build fails. */
  readonly whenBuildFails: string
}

/** Builds the program into `workDir`, under the last name of its package's path. */
export async function buildWithGo(
  program: GoProgram,
  { workDir, signal, report }: StepContext,
): Promise<void> {
  const go = await requireGo(program)
  const startedMs = performance.now()
  let lastLine = 'downloading modules'
  const tell = (): void => {
    const seconds = Math.round((performance.now() - startedMs) / 1000)
    report(`${seconds} s of about ${program.expectedSeconds} s: ${lastLine}`)
  }
  const timer = setInterval(tell, process.stderr.isTTY ? 1_000 : 15_000)
  try {
    await runTool(go, ['install', '-v', program.module], {
      env: { GOBIN: workDir, GOTMPDIR: workDir },
      signal,
      report: (line) => {
        lastLine = line
      },
      remedy: program.whenBuildFails,
    })
  } finally {
    clearInterval(timer)
  }
}

/** @throws LakeduelError `TOOL_MISSING` when there is no Go, or one that is too old to build the program with */
export async function requireGo(program: GoProgram, env: NodeJS.ProcessEnv = process.env): Promise<string> {
  const go = await findExecutable('go', env)
  if (go === null) throw noGo(program, `no Go is on PATH to build ${program.name} with`, null)
  const { stdout } = await execa(go, ['version'], { reject: false })
  const [, major, minor] = /\bgo(\d+)\.(\d+)/.exec(stdout ?? '') ?? []
  if (Number(major) === 1 && Number(minor) >= program.oldestGoMinor) return go
  const found = stdout.trim() || 'unknown version'
  throw noGo(program, `${go} is too old to build ${program.name} with (${found})`, stdout)
}

function noGo(program: GoProgram, what: string, found: string | null): LakeduelError {
  return new LakeduelError('TOOL_MISSING', `${program.without} ${what}.`, {
    facts: { tool: 'go', needed: `1.${program.oldestGoMinor}`, found },
    remedy: program.withoutGo,
  })
}
