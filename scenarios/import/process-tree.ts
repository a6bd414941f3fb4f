import { readdirSync, readFileSync } from 'node:fs'

export interface ProcessOfTree {
  readonly pid: number
  /** What part of the pipeline it is, by its command line. */
  readonly role: 'sync' | 'extractor' | 'worker' | 'load' | 'sidecar' | 'other'
}

/** All living descendants of a process and the process itself, as Linux's procfs lists them. */
export function processTree(root: number): readonly ProcessOfTree[] {
  const children = new Map<number, number[]>()
  for (const pid of readdirSync('/proc').map(Number).filter(Number.isInteger)) {
    const parent = parentOf(pid)
    if (parent !== null) children.set(parent, [...(children.get(parent) ?? []), pid])
  }
  const found: number[] = []
  for (const pid of [root]) collect(pid, children, found)
  return found.map((pid) => ({ pid, role: roleOf(pid) }))
}

function collect(pid: number, children: ReadonlyMap<number, readonly number[]>, found: number[]): void {
  found.push(pid)
  for (const child of children.get(pid) ?? []) collect(child, children, found)
}

/** Null for a process that is gone, or a zombie. */
function parentOf(pid: number): number | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    const [state, parent] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return state === 'Z' ? null : Number(parent)
  } catch {
    return null
  }
}

function roleOf(pid: number): ProcessOfTree['role'] {
  const command = commandOf(pid)
  if (/processes\/extract\.[jt]s/.test(command)) return 'extractor'
  if (/processes\/worker\.[jt]s/.test(command)) return 'worker'
  if (/processes\/load\.[jt]s/.test(command)) return 'load'
  if (/lakeduel_sidecar/.test(command)) return 'sidecar'
  return /main\.[jt]s/.test(command) ? 'sync' : 'other'
}

function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'latin1').replaceAll('\0', ' ')
  } catch {
    return ''
  }
}
