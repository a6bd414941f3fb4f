import { Command } from 'commander'
import { type Config, loadConfig } from '../../platform/config/load.ts'
import { type Check, diagnose } from '../../platform/doctor.ts'
import { interruptSignal } from '../../platform/interrupt.ts'
import { examineInstruments } from '../doctor/instruments.ts'
import { instrumentsText } from '../doctor/print-instruments.ts'

interface DoctorOptions {
  readonly json?: boolean
  readonly instruments?: boolean
  readonly config?: string
}

/**
 * `lakeduel doctor`: ends with 0 only when `lakeduel bench` could run as it is or after its own set-up; with `--instruments`
 * only when none of them is off.
 */
export function doctorCommand(): Command {
  return new Command('doctor')
    .description('tell what lakeduel needs: what is found, which version, where from, or what to do')
    .option('--instruments', 'do work of known size, and hold what the instruments record against it')
    .option('--json', 'print JSON')
    .option('--config <file>', 'read this config file')
    .action(doctor)
}

async function doctor({ json, config: configFile, instruments }: DoctorOptions): Promise<void> {
  const config = await loadConfig({ configFile })
  return instruments ? doctorInstruments(config, json) : doctorTools(config, json)
}

async function doctorTools(config: Config, json = false): Promise<void> {
  const checks = await diagnose(config, interruptSignal())
  const canBench = checks.every(({ status }) => status !== 'missing')
  print(json, { canBench, checks }, () => table(checks, canBench))
  process.exitCode = canBench ? 0 : 3
}

async function doctorInstruments(config: Config, json = false): Promise<void> {
  const report = await examineInstruments(config, interruptSignal())
  print(json, report, () => instrumentsText(report))
  process.exitCode = report.agree ? 0 : 1
}

function print(json: boolean, data: unknown, text: () => string): void {
  process.stdout.write(`${json ? JSON.stringify(data, null, 2) : text()}\n`)
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
