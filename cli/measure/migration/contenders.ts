import { execa } from 'execa'
import { lakeduelCommand } from '../services.ts'

/** A migrator that is measured, as a command. */
export interface Contender {
  readonly name: 'lakeduel' | 'delta2ducklake'
  /** The command line that registers a local table as `moved` in a SQLite catalog that is there. */
  readonly registering: (uri: string, catalog: string) => CommandLine
  /** One that only starts the program. */
  readonly starting: CommandLine
}

export interface CommandLine {
  readonly file: string
  readonly args: readonly string[]
}

export const MOVED = 'moved'

/** Without the proof, since the other has none. */
export const lakeduelContender: Contender = {
  name: 'lakeduel',
  registering: (uri, catalog) =>
    lakeduelCommand([
      'migrate',
      'run',
      uri,
      '--to',
      `ducklake:sqlite:${catalog}`,
      '--table',
      MOVED,
      '--no-verify',
      '--json',
    ]),
  starting: lakeduelCommand(['migrate', 'run', '--help']),
}

/** @param python the interpreter that has it */
export function delta2ducklakeContender(python: string): Contender {
  const module = ['-m', 'delta2ducklake.cli']
  return {
    name: 'delta2ducklake',
    registering: (uri, catalog) => ({
      file: python,
      args: [...module, 'copy', uri, '--catalog', `sqlite:${catalog}`, '--table', MOVED],
    }),
    starting: { file: python, args: [...module, 'copy', '--help'] },
  }
}

export interface Ended {
  readonly wallMs: number
  readonly succeeded: boolean
  /** The last line of what it said. */
  readonly said: string
}

/** Runs a command as a process of its own, to its end. */
export async function timed({ file, args }: CommandLine, signal: AbortSignal): Promise<Ended> {
  const startedAt = performance.now()
  const { exitCode, stderr } = await execa(file, args, {
    reject: false,
    stdin: 'ignore',
    cancelSignal: signal,
    extendEnv: true,
  })
  const wallMs = performance.now() - startedAt
  signal.throwIfAborted()
  return { wallMs, succeeded: exitCode === 0, said: stderr.trim().split('\n').at(-1) ?? '' }
}
