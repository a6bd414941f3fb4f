import { describe, inject } from 'vitest'
import { ARMS, type Arm, formatOf } from '../../backends/backend.ts'
import { crashTests, evolveCrashTests, swapCrashTests } from './contract/crash.ts'
import { evolutionTests } from './contract/evolution.ts'
import { idempotenceTests } from './contract/idempotence.ts'
import { keyedTests } from './contract/keyed.ts'
import { useLake } from './contract/lake.ts'
import { lifecycleTests } from './contract/lifecycle.ts'
import { partitionTests } from './contract/partitions.ts'
import { propertyTests } from './contract/property.ts'
import { registrationTests } from './contract/registration.ts'
import { rejectionTests } from './contract/rejection.ts'
import { replaceTests } from './contract/replace.ts'
import { storedTests } from './contract/stored.ts'
import { swapTests } from './contract/swap.ts'
import { togetherTests } from './contract/together.ts'
import { typeTests } from './contract/types.ts'
import { appendTests, upsertTests } from './contract/upsert.ts'
import { rewritingTests, wideningTests } from './contract/widening.ts'

const asked = process.env['LAKEDUEL_TEST_ARMS']?.split(',')

/** The arms that are tested: all of them, or those of `LAKEDUEL_TEST_ARMS=arm,arm`. */
export const TESTED_ARMS: readonly Arm[] = ARMS.filter((arm) => asked === undefined || asked.includes(arm))

/**
 * Arms with code of their own for whole tables and files. Those beside them swap, widen, open and register by the same code,
 * whatever their way of merging, so that one arm shows what a kill in the middle of that does.
 */
const OWN_TABLE_CODE: ReadonlySet<Arm> = new Set<Arm>(['ducklake/merge', 'delta/merge', 'delta/duckdb'])

/** What every arm must do, on a real object store, with a real catalog, read back by an independent reader. */
export function contractSuite(arm: Arm): void {
  describeArm(arm, 's3', (lake) => {
    describe('append', () => appendTests(lake))
    describe('upsert', () => upsertTests(lake))
    describe('insert and delete', () => keyedTests(lake))
    describe('replace', () => replaceTests(lake))
    describe('a batch counts once', () => idempotenceTests(lake))
    describe('batches together', () => togetherTests(lake))
    describe('partitions', () => partitionTests(lake))
    describe('types', () => typeTests(lake))
    describe('stored tables', () => storedTests(lake))
    describe('evolution', () => evolutionTests(lake))
    describe('widening', () => wideningTests(lake))
    describe('rewriting', () => rewritingTests(lake))
    describe('registered parts', () => registrationTests(lake))
    describe('refused batches', () => rejectionTests(lake))
    describe('lifecycle', () => lifecycleTests(lake))
    describe('killed processes', () => crashTests(lake))
    describe('random operations', () => propertyTests(lake))
    if (!OWN_TABLE_CODE.has(arm)) return
    describe('killed widenings', () => evolveCrashTests(lake))
    describe('swap', () => swapTests(lake))
    describe('killed swaps', () => swapCrashTests(lake))
  })
}

/** The part of the contract that depends on where the files lie. */
export function localContractSuite(arm: Arm): void {
  describeArm(arm, 'local', (lake) => {
    describe('append', () => appendTests(lake))
    describe('replace', () => replaceTests(lake))
    describe('partitions', () => partitionTests(lake))
    describe('a batch counts once', () => idempotenceTests(lake))
    if (!OWN_TABLE_CODE.has(arm)) return
    describe('stored tables', () => storedTests(lake))
    describe('rewriting', () => rewritingTests(lake))
    describe('swap', () => swapTests(lake))
    describe('registered parts', () => registrationTests(lake))
    describe('lifecycle', () => lifecycleTests(lake))
  })
}

function describeArm(
  arm: Arm,
  storage: 's3' | 'local',
  suite: (lake: ReturnType<typeof useLake>) => void,
): void {
  const reason = unavailable(arm)
  const title = `${arm} on ${storage === 's3' ? 'S3' : 'a local directory'}`
  if (reason !== null) describe.skip(`${title} (skipped: ${reason})`, () => suite(notThere))
  else if (TESTED_ARMS.includes(arm)) describe(title, () => suite(useLake(arm, storage)))
  else describe.skip(`${title} (skipped: LAKEDUEL_TEST_ARMS leaves it out)`, () => suite(notThere))
}

/** The reason why the machine's sidecar can't offer the strategy of the arm, or null. */
export function unavailable(arm: Arm): string | null {
  const { sidecar } = inject('services')
  if (formatOf(arm) !== 'delta') return null
  if (sidecar === null) return 'there is no Python to run the sidecar with'
  return sidecar.unavailable[arm.slice(arm.indexOf('/') + 1)] ?? null
}

function notThere(): never {
  throw new Error('a skipped suite has no lake')
}
