import { parseSourceConfig } from '../../pipeline/sources/config.ts'
import type { ContractCheck, Finding } from '../../pipeline/sources/contract/check.ts'
import { CONTRACT, runCheck } from '../../pipeline/sources/contract/contract.ts'
import { ContractSubject } from '../../pipeline/sources/contract/subject.ts'
import { sourceNamed } from '../../pipeline/sources/registry.ts'
import { hideSecrets, hideSecretsIn } from '../../pipeline/sources/secrets.ts'
import { interruptSignal } from '../../platform/interrupt.ts'
import { type JsonOption, print } from './print.ts'
import { type SettingsOptions, settingsOf } from './settings.ts'

export interface TestOptions extends JsonOption, SettingsOptions {
  readonly table?: readonly string[]
  readonly seed?: number
  readonly maxRows?: number
}

const MARKS = { pass: '✓', fail: '✗', skip: '-' } as const

/** Ends with 0 only when no check failed. */
export async function testSource(name: string, options: TestOptions): Promise<void> {
  const definition = await sourceNamed(name)
  const { table = [], seed, maxRows } = options
  const signal = interruptSignal()
  const config = await settingsOf(definition, options)
  // Settings that are no good are told at once, and not by one check after the other.
  parseSourceConfig(definition, config)
  const subject = new ContractSubject(definition, config, {
    tables: table.length === 0 ? null : table,
    signal,
    ...(seed === undefined ? {} : { seed }),
    ...(maxRows === undefined ? {} : { maxRows }),
  })
  const results: { readonly check: string; readonly title: string; readonly findings: readonly Finding[] }[] =
    []
  for (const check of CONTRACT) {
    const findings = await runCheck(check, subject)
    signal.throwIfAborted()
    results.push({ check: check.name, title: check.title, findings })
    if (!options.json) process.stdout.write(`${hideSecrets(describe(check, findings), subject.secrets)}\n`)
  }
  const all = results.flatMap(({ findings }) => findings)
  const counts = { pass: countOf(all, 'pass'), fail: countOf(all, 'fail'), skip: countOf(all, 'skip') }
  const data = { source: definition.name, version: definition.version, counts, results }
  const verdict = counts.fail === 0 ? 'keeps the contract' : 'does not keep the contract'
  print(
    options,
    hideSecretsIn(data, subject.secrets),
    `\n${definition.name} ${verdict}: ${counts.pass} passed, ${counts.fail} failed, ${counts.skip} skipped.`,
  )
  if (counts.fail > 0) process.exitCode = 1
}

function describe({ title }: ContractCheck, findings: readonly Finding[]): string {
  return [title, ...findings.map(describeFinding)].join('\n')
}

function describeFinding({ status, table, reason, values }: Finding): string {
  const told = status === 'fail' && values !== undefined ? ` ${JSON.stringify(values)}` : ''
  return `  ${MARKS[status]} ${table === null ? '' : `${table}: `}${reason}${told}`
}

function countOf(findings: readonly Finding[], status: Finding['status']): number {
  return findings.filter((finding) => finding.status === status).length
}
