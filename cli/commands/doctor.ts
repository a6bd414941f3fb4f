import { Command } from 'commander'
import { loadConfig } from '../../platform/config/load.ts'
import { type Check, diagnose } from '../../platform/doctor.ts'
import { interruptSignal } from '../../platform/interrupt.ts'

interface DoctorOptions {
  readonly json?: boolean
  readonly config?: string
}

/** `lakeduel doctor`: ends with 0 only when `lakeduel bench` could run as it is or after its own set-up. */
export function doctorCommand(): Command {
  return new Command('doctor')
    .description('tell what lakeduel needs: what is found, which version, where from, or what to do')
    .option('--json', 'print JSON')
    .option('--config <file>', 'read this config file')
    .action(doctor)
}

async function doctor({ json, config }: DoctorOptions): Promise<void> {
  const checks = await diagnose(await loadConfig({ configFile: config }), interruptSignal())
  const canBench = checks.every(({ status }) => status !== 'missing')
  process.stdout.write(
    json ? `${JSON.stringify({ canBench, checks }, null, 2)}\n` : `${table(checks, canBench)}\n`,
  )
  process.exitCode = canBench ? 0 : 3
}

const MARKS = { ok: '✓', 'set-up': '…', limited: '!', missing: '✗' } as const

function table(checks: readonly Check[], canBench: boolean): string {
  const width = Math.max(...checks.map(({ part }) => part.length))
  const lines = checks.flatMap(({ part, status, found, advice }) => [
    `${MARKS[status]} ${part.padEnd(width)}  ${found}`,
    ...(advice === null ? [] : [`  ${' '.repeat(width)}  → ${advice}`]),
  ])
  const verdict = canBench
    ? 'All of it is there, or will be made by the first run.'
    : 'A benchmark cannot run yet; see the lines marked ✗.'
  return [...lines, '', verdict].join('\n')
}
