import { readdirSync, readFileSync } from 'node:fs'
import { isRunning } from './kill.ts'

/** Living processes whose session is led by one of the given ids, as Linux's procfs lists them; on other systems the leaders alone. */
export function sessionProcesses(leaders: ReadonlySet<number>): readonly number[] {
  if (process.platform !== 'linux') return [...leaders].filter(isRunning)
  const processIds = readdirSync('/proc').map(Number).filter(Number.isInteger)
  return processIds.filter((processId) => {
    const state = processState(processId)
    return state !== null && state.code !== 'Z' && leaders.has(state.session)
  })
}

/** Fields of /proc/PID/stat behind the command name, which may itself hold spaces and brackets; null for a process that is gone. */
function processState(processId: number): { readonly code: string; readonly session: number } | null {
  try {
    const stat = readFileSync(`/proc/${processId}/stat`, 'latin1')
    const [code = '', , , session] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return { code, session: Number(session) }
  } catch {
    return null
  }
}
