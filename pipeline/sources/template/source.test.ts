import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CONTRACT, ContractSubject, runCheck } from '../kit.ts'
import mySource from './index.ts'

/** `node --test` runs it; the same checks as `lakeduel source test`. */
const subject = new ContractSubject(mySource, { apiKey: 'demo-key' }, { readAheadBytes: 2_000 })

for (const check of CONTRACT) {
  void test(check.title, async () => {
    const findings = await runCheck(check, subject)
    assert.deepEqual(
      findings.filter(({ status }) => status === 'fail'),
      [],
    )
  })
}
