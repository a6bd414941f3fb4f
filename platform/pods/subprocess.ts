import { execa } from 'execa'

export interface Command {
  readonly file: string
  readonly args: readonly string[]
}

export interface SpawnOptions {
  readonly cwd?: string
  /** Beside the variables of this process, unless `extendEnv` is false. Secrets may be here or on stdin, never in `args`. */
  readonly env?: Readonly<Record<string, string>>
  readonly extendEnv?: boolean
}

/** An execa subprocess with pipes for stdin, stdout and stderr. It resolves, and doesn't reject, when the process dies: that is a result. */
export type PodSubprocess = ReturnType<typeof startSubprocess>

/** @param detached whether the process leads a session of its own */
export function startSubprocess(command: Command, options: SpawnOptions, { detached = false } = {}) {
  return execa(command.file, command.args, { ...options, detached, reject: false })
}
