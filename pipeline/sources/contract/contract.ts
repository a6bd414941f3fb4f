/**
 * What every source must keep, as data: `lakeduel source test` runs it, and so do tests. Each check reads the source through
 * its interface alone, and a large table only as far as the options say.
 */
import { abortCheck } from './aborting.ts'
import type { ContractCheck, Finding } from './check.ts'
import { credentialsCheck, wrongCredentialsCheck } from './credentials.ts'
import { definitionCheck, discoveryCheck } from './definition.ts'
import { errorTableCheck, secretMessageCheck, unknownErrorCheck } from './error-table.ts'
import { declaredOrderCheck, incrementalCheck } from './incremental.ts'
import { byteBoundCheck, cursorCheck, keysCheck, pagingCheck, rowsCheck } from './paging.ts'
import { resumeCheck, stableOrderCheck } from './resuming.ts'
import type { ContractSubject } from './subject.ts'

export const CONTRACT: readonly ContractCheck[] = [
  definitionCheck,
  errorTableCheck,
  unknownErrorCheck,
  secretMessageCheck,
  credentialsCheck,
  wrongCredentialsCheck,
  discoveryCheck,
  pagingCheck,
  cursorCheck,
  rowsCheck,
  keysCheck,
  stableOrderCheck,
  resumeCheck,
  declaredOrderCheck,
  incrementalCheck,
  byteBoundCheck,
  abortCheck,
]

/** Runs one check; what the source throws is a finding, too. */
export async function runCheck(check: ContractCheck, subject: ContractSubject): Promise<readonly Finding[]> {
  try {
    return await check.run(subject)
  } catch (error) {
    return [{ table: null, ...subject.failure(error) }]
  }
}
