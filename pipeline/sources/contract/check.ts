import type { JsonValue, SourceTable } from '../source.ts'
import type { ContractSubject } from './subject.ts'

/** What a check found, of one table or of the source as a whole. */
export interface Finding {
  readonly status: 'pass' | 'fail' | 'skip'
  /** Null for what concerns the source as a whole. */
  readonly table: string | null
  /** What was seen, or why it could not be looked at. */
  readonly reason: string
  /** Cursors, places and counts that the reason speaks of. */
  readonly values?: Readonly<Record<string, JsonValue>>
}

/** A rule that every source must keep. */
export interface ContractCheck {
  readonly name: string
  /** What must hold, as a sentence. */
  readonly title: string
  /** @throws whatever the source throws, which counts as a failed check */
  run(subject: ContractSubject): Promise<readonly Finding[]>
}

export type TableFinding = Omit<Finding, 'table'>

export function pass(reason: string, values?: Finding['values']): TableFinding {
  return { status: 'pass', reason, ...(values === undefined ? {} : { values }) }
}

export function fail(reason: string, values?: Finding['values']): TableFinding {
  return { status: 'fail', reason, ...(values === undefined ? {} : { values }) }
}

export function skip(reason: string): TableFinding {
  return { status: 'skip', reason }
}

/** A check of the source as a whole. */
export function sourceCheck(
  name: string,
  title: string,
  run: (subject: ContractSubject) => Promise<TableFinding>,
): ContractCheck {
  return { name, title, run: async (subject) => [{ table: null, ...(await run(subject)) }] }
}

/** A check of each table for itself: one that fails does not keep the others from being looked at. */
export function tableCheck(
  name: string,
  title: string,
  run: (subject: ContractSubject, table: SourceTable) => Promise<TableFinding>,
): ContractCheck {
  return {
    name,
    title,
    run: async (subject) => {
      const findings: Finding[] = []
      for (const table of await subject.tables()) {
        const found = await run(subject, table).catch((error: unknown) => subject.failure(error))
        findings.push({ table: table.name, ...found })
      }
      return findings
    },
  }
}
