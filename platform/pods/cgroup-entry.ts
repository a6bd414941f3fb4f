import type { Command } from './subprocess.ts'

/**
 * Puts a command into cgroups before the program starts: a shell writes its own id into each and then becomes the
 * program, which keeps the process id. Doing it from outside after the start would miss the first allocations and children.
 */
export function enterCgroups(directories: readonly string[], command: Command): Command {
  const join = directories.map((_, index) => `echo $$ > "\${${index + 1}}/cgroup.procs"`).join(' && ')
  const script = `${join} && shift ${directories.length} && exec "$@"`
  return {
    file: '/bin/sh',
    args: ['-c', script, 'lakeduel-pod', ...directories, command.file, ...command.args],
  }
}
