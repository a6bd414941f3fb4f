import { describe, expect, test } from 'vitest'
import type { RawConfig } from '../../../pipeline/sources/config.ts'
import type { Finding } from '../../../pipeline/sources/contract/check.ts'
import { CONTRACT, runCheck } from '../../../pipeline/sources/contract/contract.ts'
import { type ContractOptions, ContractSubject } from '../../../pipeline/sources/contract/subject.ts'
import type { SourceDefinition } from '../../../pipeline/sources/source.ts'

export interface ContractSuiteOptions extends Partial<ContractOptions> {
  readonly tables?: readonly string[]
  /** Checks that this configuration has nothing to show for, by name: they must be skipped, so that none is by accident. */
  readonly skipped?: readonly string[]
}

/** Holds a source to the contract, a test for each check. */
export function sourceContract(
  title: string,
  definition: SourceDefinition,
  config: () => RawConfig,
  { skipped = [], ...options }: ContractSuiteOptions = {},
): void {
  describe(`${title} keeps the contract of sources`, () => {
    let subject: ContractSubject | null = null
    for (const check of CONTRACT) {
      test(check.title, async () => {
        subject ??= new ContractSubject(definition, config(), options)
        const findings = await runCheck(check, subject)
        expect(findings.filter(({ status }) => status === 'fail')).toEqual([])
        const wasSkipped = findings.length > 0 && findings.every(({ status }) => status === 'skip')
        expect(wasSkipped ? reasonsOf(findings) : [], check.name).toEqual(
          skipped.includes(check.name) ? reasonsOf(findings) : [],
        )
      })
    }
  })
}

function reasonsOf(findings: readonly Finding[]): readonly string[] {
  return findings.map(({ reason }) => reason)
}
