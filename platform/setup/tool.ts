import { execa } from 'execa'
import { redactText } from '../config/redact.ts'
import { LakeduelError, messageOf } from '../errors.ts'
import { onForcedExit } from '../interrupt.ts'

export interface ToolOptions {
  /** Default: that of this process. */
  readonly cwd?: string
  readonly env?: Readonly<Record<string, string>>
  readonly signal: AbortSignal | undefined
  /** Gets each line that the tool prints. */
  readonly report: (line: string) => void
  /** Full sentence, for when the tool fails. */
  readonly remedy: string
}

/** The first lines that tell of an error, as npm's do before it explains how it is used, and the last of all. */
const FIRST_ERRORS = 8
const LAST_LINES = 12
const KILL_AFTER_MS = 3_000

/**
 * Runs a tool that may take minutes, in a process group of its own: pip and go start processes that would go on for a
 * while, and write into folders that are being removed, when only their parent is ended.
 * @throws LakeduelError `SETUP_FAILED` with its last lines, or the reason of the signal
 */
export async function runTool(command: string, args: readonly string[], options: ToolOptions): Promise<void> {
  options.signal?.throwIfAborted()
  const tool = execa(command, args, {
    all: true,
    cwd: options.cwd ?? process.cwd(),
    env: options.env ?? {},
    stdin: 'ignore',
    detached: true,
  })
  const groupId = tool.pid
  const release = groupId === undefined ? () => undefined : endGroupOn(options.signal, groupId)
  const output = new KeptOutput()
  try {
    for await (const line of tool.iterable({ from: 'all' })) {
      output.add(line)
      options.report(line)
    }
    await tool
  } catch (error) {
    options.signal?.throwIfAborted()
    throw toolFailure(command, args, output.text || messageOf(error), options.remedy)
  } finally {
    release()
  }
}

class KeptOutput {
  readonly #errors: string[] = []
  readonly #last: string[] = []

  add(line: string): void {
    this.#last.push(line)
    if (this.#last.length <= LAST_LINES) return
    const dropped = this.#last.shift() ?? ''
    if (/error/i.test(dropped) && this.#errors.length < FIRST_ERRORS) this.#errors.push(dropped)
  }

  get text(): string {
    return [...this.#errors, ...(this.#errors.length === 0 ? [] : ['…']), ...this.#last].join('\n')
  }
}

/** Returns how to let go of the group, which ends what it has left when the signal is aborted. */
function endGroupOn(signal: AbortSignal | undefined, groupId: number): () => void {
  // SIGINT rather than SIGTERM: go removes its temporary build folder on the former only.
  const interrupt = (): void => killGroup(groupId, 'SIGINT')
  const kill = (): void => killGroup(groupId, 'SIGKILL')
  const onAbort = (): void => {
    interrupt()
    setTimeout(kill, KILL_AFTER_MS).unref()
  }
  signal?.addEventListener('abort', onAbort, { once: true })
  const forget = onForcedExit(kill)
  return () => {
    signal?.removeEventListener('abort', onAbort)
    forget()
    if (signal?.aborted) kill()
  }
}

function killGroup(groupId: number, signalName: NodeJS.Signals): void {
  try {
    process.kill(-groupId, signalName)
  } catch {
    // All of it has ended already.
  }
}

function toolFailure(command: string, args: readonly string[], told: string, remedy: string): LakeduelError {
  const output = redactText(told)
  return new LakeduelError('SETUP_FAILED', `'${command} ${args.slice(0, 3).join(' ')}' failed:\n${output}`, {
    facts: { command, args, output },
    remedy,
  })
}
